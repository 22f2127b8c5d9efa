"""What the store holds of the encodings that a run asks for, in one pass over the tables in the order of their keys.

Keys are digests, so in the plan's order each would be looked up at another end of the file. SQLite sorts them on disk
for GROUP BY (it passes over an ORDER BY within a join). Where only the unfinished ones are asked for, the others never
become Python objects: a run has millions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from benchbox.plan import Have
from benchbox.store.accepted import number
from benchbox.store.streams import Streams
from benchbox.store.tables import selection

MAX_ATTEMPTS = 2
"""A failed point is tried once more by the next run, and after that only with ``--retry``."""

UNSCORED = "not scored: "
"""Begins the reason of a score that is missing since something failed, and not since the metric has no value there."""

FEW = 100_000
"""Up to so many encodings, all their kept streams are looked at; of more, those that are to be scored, since a million
files take seconds."""

_PAGE = 10_000
"""Encodings that are held as Python objects at a time."""


@dataclass(frozen=True)
class Wanted:
    """What counts as finished.

    Attributes:
        versions: metric id -> version; only scores of these count.
        retry: whether failures are tried again however often they were, all kept streams are checked and missing ones
            encoded again, and scores that are missing since something failed are left out.
        sources: codec id -> SHA-256 of its plugin's files; points measured with other files are said to have changed.
        renewed: codecs whose changed points do not count as measured.
    """

    versions: Mapping[str, str]
    retry: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    renewed: frozenset[str] = frozenset()


def held(db: sqlite3.Connection, streams: Streams, keys: Iterable[str], wanted: Wanted) -> dict[str, Have]:
    """key -> what the store holds of that encoding, for those of `keys` of which it holds anything."""
    return {key: have for key, have in _held(db, streams, keys, wanted, "1") if have is not None}


def unfinished(
    db: sqlite3.Connection, streams: Streams, keys: Iterable[str], wanted: Wanted
) -> dict[str, Have | None]:
    """key -> what the store holds of that encoding (None for nothing), for those of `keys` that are unfinished, or have
    changed."""
    condition = f"status IS NOT 'ok' OR changed OR NOT {_all_scored(wanted)}"
    return {key: have for key, have in _held(db, streams, keys, wanted, condition)
            if have is None or not have.measured or have.changed or have.lacks(wanted.versions)}  # fmt: skip


def _held(
    db: sqlite3.Connection, streams: Streams, keys: Iterable[str], wanted: Wanted, condition: str
) -> Iterator[tuple[str, Have | None]]:
    """(key, what the store holds of it) of those of `keys` that meet an SQL `condition`; of all, where all their
    streams are looked at."""
    db.execute("CREATE TEMP TABLE given (key TEXT)")
    try:
        count = db.executemany("INSERT INTO given VALUES (?)", ((key,) for key in keys)).rowcount
        db.commit()
        looks = wanted.retry or count <= FEW
        columns = selection(db, "encodings", ("status", "attempts", "stream_sha256", "bytes", "measured", "codec"))
        query = f"""SELECT sorted.key, {columns}, {_changed(db, wanted)} AS changed
            FROM (SELECT key FROM given GROUP BY key) AS sorted LEFT JOIN encodings ON encodings.key = sorted.key
            WHERE {"1" if looks else condition}"""
        with closing(db.execute(query, _parameters(wanted))) as rows:
            while page := rows.fetchmany(_PAGE):
                yield from _page(db, streams, page, wanted, looks)
    finally:
        db.execute("DROP TABLE given")


def _page(
    db: sqlite3.Connection, streams: Streams, page: Sequence[tuple[Any, ...]], wanted: Wanted, looks: bool
) -> Iterator[tuple[str, Have | None]]:
    scored = {key: _scored(db, key, wanted) for key, status, *_ in page if status == "ok"}
    lacking = {key for key, known in scored.items() if len(known) < len(wanted.versions)}
    needed = {stream: (size, time) for key, status, _, stream, size, time, *_ in page
              if status == "ok" and stream and (looks or key in lacking)}  # fmt: skip
    suspect = set(needed) if wanted.retry else streams.changed(needed)
    damaged = streams.damaged(suspect)
    for key, status, attempts, stream, size, _, codec, changed in page:
        if status == "ok":
            untrue = stream in suspect and streams.size(stream) not in (size, None)  # the row, not the stream
            again = (changed and codec in wanted.renewed) or stream in damaged or untrue or (
                wanted.retry and stream and not streams.has(stream))  # fmt: skip
            to_score = key in lacking and stream and streams.has(stream)
            yield key, Have(not again, stream if to_score else None, scored[key], codec if changed else "")
        elif status is None:
            yield key, None
        else:
            tried = number(attempts, f"encodings, {key[:12]}: attempts", 0)
            settled = status == "unsupported" or (tried >= MAX_ATTEMPTS and not wanted.retry)
            yield key, Have(settled, None, frozenset(wanted.versions))


def _scored(db: sqlite3.Connection, key: str, wanted: Wanted) -> frozenset[str]:
    rows = db.execute("SELECT metric, version, reason FROM scores WHERE key = ?", (key,))
    return frozenset(metric for metric, version, reason in rows if wanted.versions.get(metric) == version
                     and not (wanted.retry and reason.startswith(UNSCORED)))  # fmt: skip


def _all_scored(wanted: Wanted) -> str:
    """An SQL condition: the key has a score, or a reason for having none, of every metric."""
    cases = " ".join(f"WHEN :metric{k} THEN :version{k}" for k in range(len(wanted.versions)))
    return (f"(SELECT COUNT(*) FROM scores WHERE scores.key = sorted.key AND version = CASE metric {cases} END) "
            f"= {len(wanted.versions)}" if wanted.versions else "1")  # fmt: skip


def _changed(db: sqlite3.Connection, wanted: Wanted) -> str:
    """An SQL condition: the codec's plugin had other files. False where that is not known, as in older databases."""
    cases = " ".join(f"WHEN :codec{k} THEN :source{k}" for k in range(len(wanted.sources)))
    source = "encodings.source_sha256"
    if not cases or "NULL" in selection(db, "encodings", ("source_sha256",)):
        return "0"
    return (f"(encodings.status = 'ok' AND {source} IS NOT NULL "
            f"AND {source} IS NOT CASE encodings.codec {cases} ELSE {source} END)")  # fmt: skip


def _parameters(wanted: Wanted) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, other, values in (("metric", "version", wanted.versions), ("codec", "source", wanted.sources)):
        for k, (name, value) in enumerate(values.items()):
            found |= {f"{kind}{k}": name, f"{other}{k}": value}
    return found
