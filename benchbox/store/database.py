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
from benchbox.store import formers, opening, runs
from benchbox.store.accepted import number
from benchbox.store.held import Unfinished, Wanted, given_keys, held, keys_of_run, unfinished
from benchbox.store.inserts import is_kept, keep
from benchbox.store.tables import TABLES, of_one_source, selection
from benchbox.store.workspace import Workspace

_KEPT_ONLY = ("attempts", "measured")
"""Columns of encodings that results do not show."""
_SAMPLE = 50_000
"""Encodings that an estimate is made from."""
_ENTRY = ("run", "dataset", "sample", "label", "quality", "key", "codec")


class Store(formers.FormerRuns):
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
        """A temporary table `wanted` of keys, to join with; filled in their order, as each would else go to another
        page of it."""
        self._db.execute("CREATE TEMP TABLE wanted (key TEXT PRIMARY KEY) WITHOUT ROWID")
        try:
            with given_keys(self._db, keys) as given:
                self._db.execute(f"INSERT INTO wanted SELECT key FROM ({given.query}) GROUP BY key")
                self._db.commit()
            yield
        finally:
            self._db.execute("DROP TABLE wanted")

    def have(self, keys: Iterable[str], versions: Mapping[str, str], retry: bool = False,
             renewed: Mapping[str, str] | None = None) -> dict[str, Have]:
        """key -> what the store holds of that encoding; see `Wanted`. `renewed` has the codecs of which only points
        count that were measured with these files of the plugin (codec id -> SHA-256)."""
        wanted = Wanted(versions, retry, renewed or {}, frozenset(renewed or ()))
        return held(self._db, self.workspace.streams, keys, wanted)

    def unfinished(self, keys: Iterable[str], wanted: Wanted) -> Unfinished:
        """What the store lacks of the encodings `keys`.

        A failure counts as measured after MAX_ATTEMPTS tries, unless `wanted.retry`. An encoding whose kept stream is
        damaged does not, so that it is encoded again. A stream is read to find that where its file has another size
        than it had, or was written to after the measurement; of more than `benchbox.store.held.FEW` encodings only the
        files of those that are to be scored are looked at.
        """
        with given_keys(self._db, keys) as given:
            return unfinished(self._db, self.workspace.streams, given, wanted)

    def unfinished_of(self, run: str, wanted: Wanted) -> Unfinished:
        """What `unfinished` says of the rows that a run has, without reading their keys."""
        return unfinished(self._db, self.workspace.streams, keys_of_run(self._db, run), wanted)

    def lists(self, run: str, rows: Iterable[Entry]) -> bool:
        """Whether the rows of a run are exactly `rows`."""
        return runs.are_rows(self._db, run, rows)

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

    def runs(self) -> list[tuple[str, int]]:
        """(name, number of rows) of every run."""
        return list(self._db.execute("SELECT run, COUNT(*) FROM entries GROUP BY run ORDER BY run"))

    def outcomes(self, run: str) -> tuple[dict[str, int], list[tuple[str, str, str, int]]]:
        """The rows of a run by status, ``missing`` for those not measured yet; and (label, status, reason, rows) of all
        that are measured and not ok, most frequent first."""
        return runs.outcomes(self._db, run)

    def rows(self, run: str) -> sqlite3.Cursor:
        """A run's entries joined with their encodings, in the plan's order; columns as in the cursor's description.
        The `ordinal` of a row is its place."""
        own = selection(self._db, "entries", ("ordinal", *_ENTRY))
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
        """A run's timings, one row per repetition, in no defined order: `ordinal`, the row's place in `rows`, and the
        columns of the table except its key, repetition, device and workers."""
        names = [name for name in TABLES["timings"] if name not in ("key", "repetition", "device", "workers")]
        return self._db.execute(
            f"SELECT ordinal, {selection(self._db, 'timings', names)} FROM entries CROSS JOIN timings USING (key) "
            "WHERE run = ?",
            (run,),
        )

    def rates(self, keys: Iterable[str]) -> dict[str, float]:
        """key -> bits per pixel, for those of `keys` that were measured."""
        query = """SELECT key, 8.0 * bytes / (width * height) FROM wanted CROSS JOIN encodings USING (key)
                   WHERE status = 'ok'"""
        with self._wanted(keys):
            rows = self._db.execute(query).fetchall()
        return {key: number(rate, f"encodings, {key[:12]}: bits per pixel", sys.float_info.min) for key, rate in rows}

    def outcomes_of(self, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
        """key -> (status, reason) of those of `keys` that were tried."""
        query = "SELECT key, status, reason FROM wanted CROSS JOIN encodings USING (key)"
        with self._wanted(keys):
            return {key: (status, reason) for key, status, reason in self._db.execute(query)}

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
        """(codec, options) -> mean (seconds to encode and decode, bytes) per megapixel, over `_SAMPLE` encodings: the
        first by key, and so as good as drawn by chance. Seconds are of the processor, as others may have been busy
        there, and of the clock for a GPU, which is waited for."""
        query = f"""SELECT codec, options, SUM({_busy("encode")} + {_busy("decode")}) * 1e6 / SUM(width * height),
                    SUM(bytes) * 1e6 / SUM(width * height)
                    FROM (SELECT * FROM encodings WHERE status = 'ok' ORDER BY key LIMIT {_SAMPLE}) AS some
                    JOIN timings USING (key) GROUP BY codec, options"""
        return {(codec, options): (number(seconds, f"timings of {codec}", 0.0), number(size, f"bytes of {codec}", 0.0))
                for codec, options, seconds, size in self._db.execute(query)}  # fmt: skip

    def is_empty(self) -> bool:
        """Whether nothing was ever measured here."""
        return self._db.execute("SELECT 1 FROM encodings LIMIT 1").fetchone() is None

    def streams_in_use(self) -> set[str]:
        """SHA-256 of every stream that a run needs."""
        query = "SELECT stream_sha256 FROM (SELECT key FROM entries GROUP BY key) CROSS JOIN encodings USING (key)"
        return {sha256 for (sha256,) in self._db.execute(query) if sha256}


class EmptyStore(Store):
    """An empty store in memory, for a workspace without a database; creates nothing on disk."""

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return opening.empty()


class WritableStore(Store):
    """Reads the measurements of a workspace and adds to them. The caller holds the workspace's lock."""

    _within = False

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return opening.to_write(self.workspace)

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written in the block is stored in one transaction at its end, or nothing of it if it fails."""
        with self._transaction():
            self._within = True
            try:
                yield
            finally:
                self._within = False

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._within:
            yield self._db
            return
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
        """Replace the rows of a run by `rows`; those that are the same already are not written."""
        with self._transaction() as db:
            runs.replace_rows(db, run, rows)

    def set_aside(self, run: str, folder: str) -> str:
        """Rename a run to its first former run, whose record is in `folder`; returns that name, ``NAME~1``."""
        with self._transaction() as db:
            return formers.set_aside(db, run, folder)

    def keep_replaced(self, run: str, keys: Iterable[str], sources: Mapping[str, str]) -> None:
        """Keep for the other runs what is held of those of `keys` that `run` is about to measure again, since they were
        measured with other files of their codec's plugin than those of `sources` (codec id -> SHA-256)."""
        changed = {key for found in self.changed(keys, sources).values() for key in found} if sources else ()
        if changed:
            with self._wanted(changed), self._transaction() as db:
                formers.keep_replaced(db, run)

    def forget(self, run: str) -> int:
        """Delete a run's rows and return their number; its measurements stay for other runs."""
        with self._transaction() as db:
            db.execute("DELETE FROM formers WHERE run = ?", (run,))
            return db.execute("DELETE FROM entries WHERE run = ?", (run,)).rowcount

    def append(
        self, events: Iterable[tuple[Job, Mapping[str, Any]]], session: Mapping[str, Any], again: bool = False
    ) -> int:
        """Store finished points in one transaction; returns their number. `session` gives id, host, threads and
        workers. Where they may be stored `again`, those that are stored already are passed over."""
        now, kept = datetime.now(UTC).isoformat(timespec="seconds"), set()
        with self._transaction() as db:
            for job, event in events:
                if not (again and is_kept(db, job, event)):
                    keep(db, job, event, session, now)
                    kept.add(event["key"])
        return len(kept)


def _busy(side: str) -> str:
    """Seconds that the device of a timing was busy, in SQL."""
    return f"CASE some.device WHEN 'cpu' THEN COALESCE({side}_cpu_s, {side}_s) ELSE {side}_s END"
