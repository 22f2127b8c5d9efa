"""Encodings, scores and timings of a workspace: `Store` reads them, `WritableStore` also adds to them.

The key of an encoding is a SHA-256 of everything it depends on (`Configuration.key`), so runs share equal encodings.
Failures are stored with the number of attempts, to be shown; they never count as results.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from benchbox.plan import Entry, Have, Job
from benchbox.store import formers, opening
from benchbox.store.accepted import number
from benchbox.store.inserts import keep
from benchbox.store.tables import TABLES, of_one_source, selection
from benchbox.store.workspace import Workspace

MAX_ATTEMPTS = 2
"""A failed point is tried once more by the next run, and after that only with ``--retry``."""

UNSCORED = "not scored: "
"""Begins the reason of a score that is missing since something failed, and not since the metric has no value there."""

_KEPT_ONLY = ("attempts", "measured")
"""Columns of encodings that results do not show."""
_ENTRY = ("run", "dataset", "sample", "label", "quality", "key", "codec")


class Store:
    """Reads the measurements of a workspace; a context manager."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._opening = self._connect()

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return opening.to_read(self.workspace)

    def __enter__(self) -> Self:
        self._db = self._opening.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._opening.__exit__(*exception)

    def known_digests(self, stamps: Iterable[str]) -> dict[str, str]:
        """stamp -> pixel digest (SHA-256, hex), for those of `stamps` that were read before."""
        wanted = set(stamps)
        rows = self._db.execute("SELECT stamp, sha256 FROM digests") if wanted else ()
        return {stamp: sha256 for stamp, sha256 in rows if stamp in wanted}

    def known_notes(self, stamps: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """stamp -> the reader's notes on the picture, for those of `stamps` whose notes were taken before."""
        wanted = set(stamps)
        made = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone()  # not so in older stores
        rows = self._db.execute("SELECT stamp, notes FROM notes") if wanted and made else ()
        return {stamp: tuple(notes.splitlines()) for stamp, notes in rows if stamp in wanted}

    @contextmanager
    def _wanted(self, keys: Iterable[str]) -> Iterator[None]:
        """A temporary table `wanted` of keys, to join with."""
        self._db.execute("CREATE TEMP TABLE wanted (key TEXT PRIMARY KEY) WITHOUT ROWID")
        try:
            self._db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((key,) for key in keys))
            self._db.commit()
            yield
        finally:
            self._db.execute("DROP TABLE wanted")

    def have(self, keys: Iterable[str], versions: Mapping[str, str], retry: bool = False,
             renewed: Mapping[str, str] | None = None) -> dict[str, Have]:
        """key -> what the store holds of that encoding. Only scores in the given `versions` (metric id -> version)
        count.

        A failure counts as measured after MAX_ATTEMPTS tries, unless `retry`. An encoding whose kept stream is damaged
        does not count as measured, so that it is encoded again; the contents of a file are looked at here where it was
        written to after the measurement, else where the stream is read. Nor does one count that was measured with other
        files of its codec's plugin than `renewed` has (codec id -> SHA-256). With `retry` all contents are checked,
        missing streams are encoded again, and scores that are missing since something failed are left out.
        """
        scored: dict[str, set[str]] = {}
        found = {}
        with self._wanted(keys):
            for key, metric, version, reason in self._db.execute(
                "SELECT key, metric, version, scores.reason FROM wanted CROSS JOIN scores USING (key)"
            ):
                if versions.get(metric) == version and not (retry and reason.startswith(UNSCORED)):
                    scored.setdefault(key, set()).add(metric)
            columns = "key, status, attempts, stream_sha256, bytes, measured"
            rows = self._db.execute(f"SELECT {columns} FROM wanted CROSS JOIN encodings USING (key)").fetchall()
            old = {key for keys in self._changed(renewed or {}).values() for key in keys}
            streams = self.workspace.streams
            kept = {stream: (size, time) for _, status, _, stream, size, time in rows if status == "ok" and stream}
            damaged = streams.damaged(kept if retry else streams.changed(kept))
            for key, status, attempts, stream, *_ in rows:
                if status == "ok":
                    known = frozenset(scored.get(key, ()))
                    to_score = len(known) < len(versions) and stream and streams.has(stream)
                    again = key in old or stream in damaged or (retry and stream and not streams.has(stream))
                    found[key] = Have(not again, stream if to_score else None, known)
                else:
                    tried = number(attempts, f"encodings, {key[:12]}: attempts", 0)
                    settled = status == "unsupported" or (tried >= MAX_ATTEMPTS and not retry)
                    found[key] = Have(settled, None, frozenset(versions))
        return found

    def streams_of(self, keys: Iterable[str]) -> dict[str, str]:
        """key -> SHA-256 of its stream, for those of `keys` that were measured."""
        query = "SELECT key, stream_sha256 FROM wanted CROSS JOIN encodings USING (key) WHERE status = 'ok'"
        with self._wanted(keys):
            return {key: sha256 for key, sha256 in self._db.execute(query).fetchall() if sha256}

    def changed(self, keys: Iterable[str], sources: Mapping[str, str]) -> dict[str, set[str]]:
        """Codec id -> those of `keys` that were measured with other files of its plugin than those of `sources` (codec
        id -> SHA-256); points of which that is not known do not count."""
        with self._wanted(keys):
            return self._changed(sources)

    def _changed(self, sources: Mapping[str, str]) -> dict[str, set[str]]:
        columns = selection(self._db, "encodings", ("key", "codec", "source_sha256"))
        found: dict[str, set[str]] = {}
        rows = self._db.execute(f"SELECT {columns} FROM wanted CROSS JOIN encodings USING (key) WHERE status = 'ok'")
        for key, codec, source in rows if sources else ():
            if source is not None and source != sources.get(codec, source):
                found.setdefault(codec, set()).add(key)
        return found

    def failures(self, run: str) -> list[tuple[str, str, str, int]]:
        """(label, status, reason, rows) for all rows of a run that are not ok, most frequent first."""
        query = """SELECT label, status, reason, COUNT(*) FROM entries JOIN encodings USING (key)
                   WHERE run = ? AND status != 'ok' GROUP BY label, status, reason ORDER BY 4 DESC, 1"""
        return list(self._db.execute(query, (run,)))

    def runs(self) -> list[tuple[str, int]]:
        """(name, number of rows) of every run."""
        return list(self._db.execute("SELECT run, COUNT(*) FROM entries GROUP BY run ORDER BY run"))

    def measured_with(self, run: str) -> list[formers.MeasuredWith]:
        """What the measured points of a run were measured with, by label."""
        return formers.measured_with(self._db, run)

    def former_folder(self, run: str) -> str | None:
        """Name of the folder of the former run called `run`, e.g. ``"demo~1"``; None if there is no such former run."""
        return formers.former_folder(self._db, run)

    def changed_bytes(self, before: str, after: str) -> list[tuple[str, int, int]]:
        """(label, points, points with other bytes) of the points that went through in both runs."""
        return formers.changed_bytes(self._db, before, after)

    def status_counts(self, run: str) -> dict[str, int]:
        """Rows of a run by status; ``missing`` for those not measured yet."""
        query = """SELECT COALESCE(encodings.status, 'missing'), COUNT(*) FROM entries
                   LEFT JOIN encodings USING (key) WHERE run = ? GROUP BY 1"""
        return dict(self._db.execute(query, (run,)))

    def rows(self, run: str) -> sqlite3.Cursor:
        """A run's entries joined with their encodings, in the plan's order; columns as in the cursor's description."""
        own = selection(self._db, "entries", _ENTRY)
        names = [name for name in TABLES["encodings"] if name not in (*_ENTRY, "status", "reason", *_KEPT_ONLY)]
        return self._db.execute(
            f"""SELECT {own}, {selection(self._db, "encodings", names)},
               COALESCE(status, 'missing') AS status, COALESCE(reason, '') AS reason
               FROM entries LEFT JOIN encodings ON encodings.key = entries.key WHERE run = ? ORDER BY ordinal""",
            (run,),
        )

    def values(self, run: str) -> sqlite3.Cursor:
        """(ordinal, metric, version, value, reason) for all scores of a run's rows; `ordinal` is the row's place in
        `rows`. One pass reads all metrics, since looking up a key costs more than reading its scores."""
        return self._db.execute(
            """SELECT ordinal, metric, version, value, scores.reason AS reason
               FROM entries CROSS JOIN scores USING (key) WHERE run = ?""",
            (run,),
        )

    def timings(self, run: str) -> sqlite3.Cursor:
        """A run's timings, one row per repetition, in no defined order: ordinal, and the columns of the table except
        its key, repetition, device, workers and source. Times of a plugin that has changed since do not count where
        the point was measured again."""
        left_out = ("key", "repetition", "device", "workers", "source_sha256")
        names = [name for name in TABLES["timings"] if name not in left_out]
        return self._db.execute(
            f"SELECT ordinal, {selection(self._db, 'timings', names)} FROM entries CROSS JOIN timings USING (key) "
            f"JOIN encodings USING (key) WHERE run = ? AND {of_one_source(self._db)}",
            (run,),
        )

    def rates(self, keys: Iterable[str]) -> dict[str, float]:
        """key -> bits per pixel, for those of `keys` that were measured."""
        query = """SELECT key, 8.0 * bytes / (width * height) FROM wanted CROSS JOIN encodings USING (key)
                   WHERE status = 'ok'"""
        with self._wanted(keys):
            rows = self._db.execute(query).fetchall()
        return {key: number(rate, f"encodings, {key[:12]}: bits per pixel", sys.float_info.min) for key, rate in rows}

    def why_not(self, keys: Iterable[str]) -> dict[str, str]:
        """key -> ``"status: reason"`` of those of `keys` whose encoding is not ok."""
        query = """SELECT key, status, reason FROM wanted CROSS JOIN encodings USING (key) WHERE status != 'ok'"""
        with self._wanted(keys):
            return {key: f"{status}: {reason}" if reason else status for key, status, reason in self._db.execute(query)}

    def scores(self, keys: Iterable[str], metric: str, version: str) -> dict[str, tuple[float | None, str]]:
        """key -> (value, reason if it is null) for one metric, for those of `keys` that were scored."""
        query = "SELECT key, value, reason FROM wanted CROSS JOIN scores USING (key) WHERE metric = ? AND version = ?"
        with self._wanted(keys):
            rows = self._db.execute(query, (metric, version)).fetchall()
        return {key: (None if value is None else number(value, f"scores, {key[:12]}: {metric}"), str(reason))
                for key, value, reason in rows}  # fmt: skip

    def timed(self, keys: Iterable[str], host: str, batch: int, disturbed: float) -> dict[str, int]:
        """key -> most repeats from one timing session on `host`; only repeats during which other processes kept fewer
        than `disturbed` cores busy count, and those of the plugin that measured the point."""
        query = f"""SELECT key, MAX(n) FROM (SELECT key, COUNT(*) AS n FROM wanted CROSS JOIN timings USING (key)
                    JOIN encodings USING (key) WHERE protocol = 'timing' AND timings.host = ? AND batch = ?
                    AND others < ? AND {of_one_source(self._db)} GROUP BY key, session) GROUP BY key"""
        with self._wanted(keys):
            return dict(self._db.execute(query, (host, batch, disturbed)).fetchall())

    def seconds_and_bytes(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(codec, options) -> mean (seconds to encode and decode, bytes) per megapixel, over all measurements."""
        query = """SELECT codec, options, SUM(encode_s + decode_s) * 1e6 / SUM(width * height),
                   SUM(bytes) * 1e6 / SUM(width * height)
                   FROM encodings JOIN timings USING (key) WHERE status = 'ok' GROUP BY codec, options"""
        return {(codec, options): (number(seconds, f"timings of {codec}", 0.0), number(size, f"bytes of {codec}", 0.0))
                for codec, options, seconds, size in self._db.execute(query)}  # fmt: skip

    def is_empty(self) -> bool:
        """Whether nothing was ever measured here."""
        return self._db.execute("SELECT 1 FROM encodings LIMIT 1").fetchone() is None

    def streams_in_use(self) -> set[str]:
        """SHA-256 of every stream that a run needs."""
        query = "SELECT DISTINCT stream_sha256 FROM encodings WHERE key IN (SELECT key FROM entries)"
        return {sha256 for (sha256,) in self._db.execute(query) if sha256}


class EmptyStore(Store):
    """An empty store in memory, for a workspace without a database; creates nothing on disk."""

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return opening.empty()


class WritableStore(Store):
    """Reads the measurements of a workspace and adds to them. The caller holds the workspace's lock."""

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return opening.to_write(self.workspace)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.Error as error:
            raise opening.failure(self.workspace, error) from error

    def keep_digests(self, digests: Mapping[str, str]) -> None:
        """Store pixel digests by stamp."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO digests (stamp, sha256) VALUES (?, ?)", digests.items())

    def keep_notes(self, notes: Mapping[str, Sequence[str]]) -> None:
        """Store the reader's notes on pictures by stamp."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO notes (stamp, notes) VALUES (?, ?)",
                           ((stamp, "\n".join(lines)) for stamp, lines in notes.items()))  # fmt: skip

    def register(self, run: str, rows: Iterable[Entry]) -> None:
        """Replace the rows of a run by `rows`."""
        with self._transaction() as db:
            db.execute("DELETE FROM entries WHERE run = ?", (run,))
            db.executemany(
                """INSERT INTO entries (run, ordinal, key, dataset, sample, label, codec, quality)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                ((run, i, e.key, e.dataset, e.sample, e.label, e.codec, e.quality) for i, e in enumerate(rows)),
            )

    def set_aside(self, run: str, folder: str) -> str:
        """Rename a run to its first former run, whose record is in `folder`; returns that name, ``NAME~1``."""
        with self._transaction() as db:
            return formers.set_aside(db, run, folder)

    def forget(self, run: str) -> int:
        """Delete a run's rows and return their number; its measurements stay for other runs."""
        with self._transaction() as db:
            db.execute("DELETE FROM formers WHERE run = ?", (run,))
            return db.execute("DELETE FROM entries WHERE run = ?", (run,)).rowcount

    def append(self, events: Iterable[tuple[Job, Mapping[str, Any]]], session: Mapping[str, Any]) -> None:
        """Store finished points in one transaction. `session` gives id, host, threads and workers."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as db:
            for job, event in events:
                keep(db, job, event, session, now)
