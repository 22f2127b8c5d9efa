"""What the store holds of the encodings that a run asks for, in one pass over the tables in the order of their keys.

Keys are digests, so in the plan's order each would be looked up at another end of the file. SQLite sorts them on disk
for GROUP BY (it passes over an ORDER BY within a join). Where only the unfinished ones are asked for, the others never
become Python objects, nor do the keys of a run whose rows are listed: a run has millions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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


@dataclass(frozen=True)
class Unfinished:
    """What the store lacks of the encodings that a run asks for.

    Attributes:
        points: key -> what the store holds of that encoding (None for nothing), of those of which something is still to
            be measured or scored, and of those that have changed.
        all_ok: whether all encodings are there and went through.
    """

    points: Mapping[str, Have | None]
    all_ok: bool


@dataclass(frozen=True)
class Given:
    """Keys to be looked at: a SELECT of the column `key`, its `parameters`, and how many it gives at most."""

    query: str
    parameters: Mapping[str, str]
    count: int


@contextmanager
def given_keys(db: sqlite3.Connection, keys: Iterable[str]) -> Iterator[Given]:
    """The encodings `keys`."""
    db.execute("CREATE TEMP TABLE given (key TEXT)")
    try:
        count = db.executemany("INSERT INTO given VALUES (?)", ((key,) for key in keys)).rowcount
        db.commit()
        yield Given("SELECT key FROM given", {}, count)
    finally:
        db.execute("DROP TABLE given")


def keys_of_run(db: sqlite3.Connection, run: str) -> Given:
    """The encodings of the rows that a run has in the table `entries`."""
    (count,) = db.execute("SELECT COUNT(*) FROM entries WHERE run = ?", (run,)).fetchone()
    return Given("SELECT key FROM entries WHERE run = :run", {"run": run}, count)


def held(db: sqlite3.Connection, streams: Streams, keys: Iterable[str], wanted: Wanted) -> dict[str, Have]:
    """key -> what the store holds of that encoding, for those of `keys` of which it holds anything."""
    with given_keys(db, keys) as given:
        return {key: have for key, _, have in _held(db, streams, given, wanted) if have is not None}


def unfinished(db: sqlite3.Connection, streams: Streams, given: Given, wanted: Wanted) -> Unfinished:
    """What the store lacks of the encodings `given`."""
    condition = f"(encodings.status IS NOT 'ok' OR {_changed(db, wanted)} OR NOT {_all_scored(wanted)})"
    points: dict[str, Have | None] = {}
    all_ok = True
    for key, ok, have in _held(db, streams, given, wanted, "1" if wanted.retry else condition):
        all_ok = all_ok and ok
        if have is None or not have.measured or have.changed or have.lacks(wanted.versions):
            points[key] = have
    return Unfinished(points, all_ok)


def _held(
    db: sqlite3.Connection, streams: Streams, given: Given, wanted: Wanted, condition: str = "1"
) -> Iterator[tuple[str, bool, Have | None]]:
    """(key, whether it went through, what the store holds of it) of the encodings `given` that meet an SQL `condition`;
    where all streams are looked at, also of the others, which went through and lack no score."""
    looks = wanted.retry or given.count <= FEW
    columns = selection(db, "encodings", ("status", "attempts", "stream_sha256", "bytes", "measured", "codec"))
    query = f"""SELECT sorted.key, {columns}, {_changed(db, wanted)} AS changed, {condition} AS concerned
        FROM (SELECT key FROM ({given.query}) GROUP BY key) AS sorted
        LEFT JOIN encodings ON encodings.key = sorted.key WHERE {"1" if looks else "concerned"}"""
    with closing(db.execute(query, {**given.parameters, **_parameters(wanted)})) as rows:
        while page := rows.fetchmany(_PAGE):
            yield from _page(db, streams, page, wanted, looks)


def _page(
    db: sqlite3.Connection, streams: Streams, page: Sequence[tuple[Any, ...]], wanted: Wanted, looks: bool
) -> Iterator[tuple[str, bool, Have | None]]:
    every = frozenset(wanted.versions)
    scored = {key: _scored(db, key, wanted) if concerned else every for key, status, *_, concerned in page
              if status == "ok"}  # fmt: skip
    lacking = {key for key, known in scored.items() if len(known) < len(every)}
    needed = {stream: (size, time) for key, status, _, stream, size, time, *_ in page
              if status == "ok" and stream and (looks or key in lacking)}  # fmt: skip
    suspect = set(needed) if wanted.retry else streams.changed(needed)
    damaged = streams.damaged(suspect)
    for key, status, attempts, stream, size, _, codec, changed, _ in page:
        if status == "ok":
            untrue = stream in suspect and streams.size(stream) not in (size, None)  # the row, not the stream
            again = (changed and codec in wanted.renewed) or stream in damaged or untrue or (
                wanted.retry and stream and not streams.has(stream))  # fmt: skip
            to_score = key in lacking and stream and streams.has(stream)
            have = Have(not again, stream if to_score else None, scored[key], codec if changed else "")
            yield key, True, have
        elif status is None:
            yield key, False, None
        else:
            tried = number(attempts, f"encodings, {key[:12]}: attempts", 0)
            settled = status == "unsupported" or (tried >= MAX_ATTEMPTS and not wanted.retry)
            yield key, False, Have(settled, None, every)


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
