"""Encodings, scores and timings in one SQLite file; the one place that knows its tables.

Three tables hold what was measured: `encodings` (what was asked and what came of it), `scores` (one value or reason
for each encoding, metric and version) and `timings` (every raw second). Two more say what belongs to a run
(`entries`) and spare decoding pictures anew (`digests`). The key of an encoding is the SHA-256 of what was asked
(`benchbox.jobs.Configuration.key`), so runs share what they have in common.

Failures are kept to be shown, with the count of attempts; they are never taken for results.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchbox.errors import StoreError
from benchbox.jobs import Entry, Have, Job
from benchbox.plan import Timing
from benchbox.streams import stream_path

VERSION = 1
"""Of the tables; a store of a later version is refused."""

MAX_ATTEMPTS = 2
"""A failed point is tried once more by the next run, then left until asked for."""

MAPPED = 2**31
"""Bytes of the file that reports read as memory instead of by calls; on local disks, where SQLite may."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "gpfs", "ceph", "fuse.sshfs", "afs"})

_TABLES = """
CREATE TABLE IF NOT EXISTS encodings (
    key TEXT PRIMARY KEY, codec TEXT NOT NULL, options TEXT NOT NULL, identity TEXT NOT NULL, quality REAL,
    device TEXT NOT NULL, sample_sha256 TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    width INTEGER, height INTEGER, channels INTEGER, bit_depth INTEGER, bytes INTEGER, exact INTEGER,
    stream_sha256 TEXT, pixels_sha256 TEXT, attempts INTEGER NOT NULL, measured TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (
    key TEXT NOT NULL, metric TEXT NOT NULL, version TEXT NOT NULL, value REAL, reason TEXT NOT NULL,
    PRIMARY KEY (key, metric, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timings (
    key TEXT NOT NULL, session TEXT NOT NULL, repetition INTEGER NOT NULL, host TEXT NOT NULL, device TEXT NOT NULL,
    threads INTEGER NOT NULL, workers INTEGER NOT NULL, batch INTEGER NOT NULL, protocol TEXT NOT NULL,
    others REAL, peak_bytes INTEGER,
    encode_s REAL, decode_s REAL, encode_cpu_s REAL, decode_cpu_s REAL,
    PRIMARY KEY (key, session, repetition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    run TEXT NOT NULL, ordinal INTEGER NOT NULL, key TEXT NOT NULL, dataset TEXT NOT NULL, sample TEXT NOT NULL,
    label TEXT NOT NULL, codec TEXT NOT NULL, quality REAL, PRIMARY KEY (run, ordinal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (stamp TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""

_RESULT = ("width", "height", "channels", "bit_depth", "bytes", "exact", "stream_sha256", "pixels_sha256")
_SECONDS = ("encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s")


class Store:
    """The results database of a workspace; use as a context manager. Written by one process at a time."""

    def __init__(self, workspace: Path, read_only: bool = False) -> None:
        self.workspace = workspace
        self.streams = workspace / "streams"
        self.path = workspace / "store.sqlite"
        try:
            if read_only:
                if not self.path.exists():
                    raise StoreError(f"there are no results in {workspace}; `benchbox run` makes them there")
                self._db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
                self._check_version()
                if not _on_network(workspace):
                    self._db.execute(f"PRAGMA mmap_size={MAPPED}")
            else:
                workspace.mkdir(parents=True, exist_ok=True)
                self._db = sqlite3.connect(self.path)
                self._prepare()
        except OSError as error:
            raise StoreError(f"cannot write in {workspace}: {error.strerror}; choose another --workspace") from error
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}; move it away or choose another with --workspace") from error

    def _prepare(self) -> None:
        journal = "DELETE" if _on_network(self.workspace) else "WAL"
        self._db.execute(f"PRAGMA journal_mode={journal}")
        self._db.execute("PRAGMA synchronous=NORMAL")  # survives any process's death; a power loss is not promised
        self._check_version()
        self._db.executescript(_TABLES)
        self._db.execute(f"PRAGMA user_version={VERSION}")

    def _check_version(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise StoreError(f"{self.path} was written by a later benchbox (tables {found}); upgrade benchbox")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}; what was measured before is kept") from error

    def known_digests(self, stamps: Iterable[str]) -> dict[str, str]:
        """Pixel digests of earlier readings by stamp."""
        wanted = set(stamps)
        rows = self._db.execute("SELECT stamp, sha256 FROM digests")
        return {stamp: sha256 for stamp, sha256 in rows if stamp in wanted}

    def keep_digests(self, digests: Mapping[str, str]) -> None:
        """Remember pixel digests by stamp."""
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?)", digests.items())

    def register(self, run: str, rows: Iterable[Entry]) -> int:
        """Say what belongs to a run (in place of what was said before); returns the number of rows."""
        with self._transaction() as db:
            db.execute("DELETE FROM entries WHERE run = ?", (run,))
            cursor = db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((run, i, e.key, e.dataset, e.sample, e.label, e.codec, e.quality) for i, e in enumerate(rows)),
            )
        return cursor.rowcount

    def have(self, run: str, versions: Mapping[str, str], retry: bool = False) -> dict[str, Have]:
        """What is held of a run's encodings; scores count only in the `versions` given (metric id -> version).

        Failures count as measured once they were tried MAX_ATTEMPTS times, unless `retry`.
        """
        keys = "SELECT DISTINCT key FROM entries WHERE run = ?"
        scored: dict[str, set[str]] = {}
        for key, metric, version in self._db.execute(
            f"SELECT key, metric, version FROM scores WHERE key IN ({keys})", (run,)
        ):
            if versions.get(metric) == version:
                scored.setdefault(key, set()).add(metric)
        found = {}
        query = f"SELECT key, status, attempts, stream_sha256 FROM encodings WHERE key IN ({keys})"
        for key, status, attempts, stream in self._db.execute(query, (run,)):
            if status == "ok":
                kept = stream if stream and stream_path(self.streams, stream).exists() else None
                found[key] = Have(True, kept, frozenset(scored.get(key, ())), stream)
            else:
                settled = status == "unsupported" or (attempts >= MAX_ATTEMPTS and not retry)
                found[key] = Have(settled, None, frozenset(versions))
        return found

    def append(self, events: Iterable[tuple[Job, Mapping[str, Any]]], session: Mapping[str, Any]) -> None:
        """Keep finished points in one transaction. `session` gives id, host, threads and workers."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as db:
            for job, event in events:
                self._append(db, job, event, session, now)

    def _append(
        self, db: sqlite3.Connection, job: Job, event: Mapping[str, Any], session: Mapping[str, Any], now: str
    ) -> None:
        key = event["key"]
        if job.timing is not None:
            _append_timing(db, job, job.timing, event, session)
            return
        if not event.get("rescored"):
            quality = next(point.quality for point in job.points if point.key == key)
            db.execute(
                """INSERT INTO encodings VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1,?)
                ON CONFLICT (key) DO UPDATE SET status=excluded.status, reason=excluded.reason, width=excluded.width,
                height=excluded.height, channels=excluded.channels, bit_depth=excluded.bit_depth, bytes=excluded.bytes,
                exact=excluded.exact, stream_sha256=excluded.stream_sha256, pixels_sha256=excluded.pixels_sha256,
                attempts=attempts+1, measured=excluded.measured WHERE excluded.status='ok' OR encodings.status!='ok'""",
                (key, job.codec, job.options, job.identity, quality, job.device.partition(":")[0], job.sample_sha256,
                 event["status"], event["reason"], *(event.get(name) for name in _RESULT), now),
            )  # fmt: skip
            if event["status"] == "ok":
                db.execute(
                    "INSERT OR REPLACE INTO timings VALUES (?, ?, 0, ?, ?, ?, ?, 1, 'quality', NULL, NULL, ?, ?, ?, ?)",
                    (key, session["id"], session["host"], job.device, session["threads"], session["workers"],
                     *(event.get(name) for name in _SECONDS)),
                )  # fmt: skip
        if event["status"] == "ok":
            db.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)",
                ((key, metric, *score) for metric, score in event.get("scores", {}).items()),
            )

    def failures(self, run: str) -> list[tuple[str, str, str, int]]:
        """(label, status, reason, rows) of everything in a run that is not ok, most frequent first."""
        query = """SELECT label, status, reason, COUNT(*) FROM entries JOIN encodings USING (key)
                   WHERE run = ? AND status != 'ok' GROUP BY label, status, reason ORDER BY 4 DESC, 1"""
        return list(self._db.execute(query, (run,)))

    def runs(self) -> list[tuple[str, int]]:
        """(name, number of rows) of every run."""
        return list(self._db.execute("SELECT run, COUNT(*) FROM entries GROUP BY run ORDER BY run"))

    def status_counts(self, run: str) -> dict[str, int]:
        """Rows of a run by status; ``missing`` for those not measured yet."""
        query = """SELECT COALESCE(encodings.status, 'missing'), COUNT(*) FROM entries
                   LEFT JOIN encodings USING (key) WHERE run = ? GROUP BY 1"""
        return dict(self._db.execute(query, (run,)))

    def rows(self, run: str) -> sqlite3.Cursor:
        """A run's entries joined with their encodings, in the plan's order; columns as in the cursor's description."""
        return self._db.execute(
            """SELECT run, dataset, sample, label, entries.quality AS quality, entries.key AS key,
               entries.codec AS codec, options,
               identity, device, sample_sha256, COALESCE(status, 'missing') AS status, COALESCE(reason, '') AS reason,
               width, height, channels, bit_depth, bytes, exact, stream_sha256, pixels_sha256
               FROM entries LEFT JOIN encodings ON encodings.key = entries.key WHERE run = ? ORDER BY ordinal""",
            (run,),
        )

    def scores(self, run: str, metric: str, version: str) -> sqlite3.Cursor:
        """(key, value, reason) of one metric over a run."""
        return self._db.execute(
            """SELECT key, value, reason FROM scores WHERE metric = ? AND version = ?
               AND key IN (SELECT key FROM entries WHERE run = ?)""",
            (metric, version, run),
        )

    def rates(self, run: str) -> dict[str, float]:
        """key -> bits per pixel of a run's measured rows."""
        query = """SELECT key, 8.0 * bytes / (width * height) FROM encodings
                   WHERE status = 'ok' AND key IN (SELECT key FROM entries WHERE run = ?)"""
        return dict(self._db.execute(query, (run,)))

    def values(self, run: str) -> sqlite3.Cursor:
        """(ordinal, metric, version, value, reason) of all scores of a run's rows; `ordinal` is the place of the row in
        `rows`. One pass for all metrics: looking a key up costs more than reading its scores."""
        return self._db.execute(
            """SELECT ordinal, metric, version, value, scores.reason AS reason
               FROM entries CROSS JOIN scores USING (key) WHERE run = ?""",
            (run,),
        )

    def timings(self, run: str) -> sqlite3.Cursor:
        """A run's timings, one row a repetition: ordinal, session, host, protocol, threads, batch, others, peak_bytes,
        seconds; in no order that may be relied on."""
        return self._db.execute(
            f"""SELECT ordinal, session, host, protocol, threads, batch, others, peak_bytes, {", ".join(_SECONDS)}
               FROM entries CROSS JOIN timings USING (key) WHERE run = ?""",
            (run,),
        )

    def timed(self, run: str, host: str, batch: int, disturbed: float) -> dict[str, int]:
        """key -> repeats held of one undisturbed timing session on `host` (others kept fewer than `disturbed` cores
        busy)."""
        query = """SELECT key, MAX(n) FROM (SELECT key, COUNT(*) AS n FROM timings
                   WHERE protocol = 'timing' AND host = ? AND batch = ? AND others < ?
                   AND key IN (SELECT key FROM entries WHERE run = ?) GROUP BY key, session) GROUP BY key"""
        return dict(self._db.execute(query, (host, batch, disturbed, run)))

    def seconds_and_bytes(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(codec, options) -> mean (seconds to encode and decode, bytes) a megapixel, over all that was measured."""
        query = """SELECT codec, options, SUM(encode_s + decode_s) * 1e6 / SUM(width * height),
                   SUM(bytes) * 1e6 / SUM(width * height)
                   FROM encodings JOIN timings USING (key) WHERE status = 'ok' GROUP BY codec, options"""
        return {(codec, options): (seconds, size) for codec, options, seconds, size in self._db.execute(query)}

    def streams_in_use(self) -> set[str]:
        """SHA-256 of every stream that some run needs."""
        query = "SELECT DISTINCT stream_sha256 FROM encodings WHERE key IN (SELECT key FROM entries)"
        return {sha256 for (sha256,) in self._db.execute(query) if sha256}

    def forget(self, run: str) -> None:
        """Drop a run's entries; its measurements stay for other runs."""
        with self._transaction() as db:
            db.execute("DELETE FROM entries WHERE run = ?", (run,))


def _append_timing(
    db: sqlite3.Connection, job: Job, protocol: Timing, event: Mapping[str, Any], session: Mapping[str, Any]
) -> None:
    """Keep every raw second of a timed point. A point that failed when timed keeps its result; it is timed again."""
    taken = event.get("timing")
    if taken is None:
        return
    rows = zip(*(taken[name] for name in _SECONDS), strict=True)
    db.executemany(
        "INSERT OR REPLACE INTO timings VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'timing', ?, ?, ?, ?, ?, ?)",
        ((event["key"], session["id"], repetition, session["host"], job.device, session["threads"], session["workers"],
          protocol.batch, taken["others"], taken["peak_bytes"], *seconds) for repetition, seconds in enumerate(rows)),
    )  # fmt: skip


def _on_network(folder: Path) -> bool:
    """Whether a folder lies on a network file system, where SQLite's write-ahead log is not safe."""
    folder = folder.resolve()
    mounts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(mounts, key=lambda p: len(p.mountpoint)).fstype in _NETWORK if mounts else False
