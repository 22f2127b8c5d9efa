"""The statements that store what a worker reports: encodings, scores, and raw seconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from benchbox.plan import Job
from benchbox.store.accepted import cleaned
from benchbox.store.tables import TABLES, insertion

_SECONDS = ("encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s")


def keep(db: sqlite3.Connection, job: Job, event: Mapping[str, Any], session: Mapping[str, Any], now: str) -> None:
    """Store one finished point of `job`, as `benchbox.store.accepted` takes it. `session` gives id, host, threads and
    workers, of which the last three are the event's own where it has a `place`; `now` is in ISO 8601."""
    event = cleaned(event)
    session = {**session, **event.get("place", {})}
    if job.timing is not None:
        _keep_timing(db, job, event, session)
        return
    if not event.get("rescored"):
        _keep_encoding(db, job, event, now)
        if event["status"] == "ok":
            conditions = _conditions(job, session, "quality", 1) | {"source_sha256": event.get("source_sha256")}
            _keep_seconds(db, event["key"], conditions, [event])
    if event["status"] == "ok":
        _keep_scores(db, event)


def is_kept(db: sqlite3.Connection, job: Job, event: Mapping[str, Any]) -> bool:
    """Tells whether the store holds this point already: its raw seconds, its failure or a result, and its scores. A
    killed run leaves points that it has stored; a failure that is stored twice would count as two attempts."""
    event = cleaned(event)
    key, taken = event["key"], event.get("timing")
    if job.timing is not None:
        return taken is None or _has_seconds(db, key, "timing", [(taken[name] or [None])[0] for name in _SECONDS])
    if event["status"] != "ok":
        asked = (key, event["status"], event["reason"])
        found = "SELECT 1 FROM encodings WHERE key = ? AND (status = 'ok' OR (status = ? AND reason IS ?))"
        return bool(event.get("rescored")) or db.execute(found, asked).fetchone() is not None
    known = {metric: score for metric, *score in
             db.execute("SELECT metric, version, value, reason FROM scores WHERE key = ?", (key,))}  # fmt: skip
    if any(known.get(metric) != [*score] for metric, score in event.get("scores", {}).items()):
        return False
    return bool(event.get("rescored")) or _has_seconds(db, key, "quality", [event.get(name) for name in _SECONDS])


def _has_seconds(db: sqlite3.Connection, key: str, protocol: str, seconds: Sequence[Any]) -> bool:
    same = " AND ".join(f"{name} IS ?" for name in _SECONDS)
    found = f"SELECT 1 FROM timings WHERE key = ? AND protocol = ? AND {same}"
    return db.execute(found, (key, protocol, *seconds)).fetchone() is not None


def _keep_encoding(db: sqlite3.Connection, job: Job, event: Mapping[str, Any], now: str) -> None:
    """Store an encoding and its outcome; a failure never replaces a result."""
    quality = next(point.quality for point in job.points if point.key == event["key"])
    asked = {"codec": job.codec, "options": job.options, "identity": job.identity, "quality": quality,
             "device": job.device.partition(":")[0], "sample_sha256": job.sample_sha256}  # fmt: skip
    found = {name: event.get(name) for name in TABLES["encodings"] if name not in (*asked, "attempts", "measured")}
    renewed = ", ".join(f"{name}=excluded.{name}" for name in (*found, "measured") if name != "key")
    row = {**asked, **found, "attempts": 1, "measured": now}
    if event["status"] == "ok":  # scores of other bytes, where a stream was lost and encoding it again gave others
        db.execute("DELETE FROM scores WHERE key = :key AND EXISTS (SELECT 1 FROM encodings WHERE key = :key AND "
                   "status = 'ok' AND stream_sha256 IS NOT :stream_sha256)", row)
    db.execute(
        f"""{insertion("encodings", row)} ON CONFLICT (key) DO UPDATE SET {renewed}, attempts=attempts+1
        WHERE excluded.status='ok' OR encodings.status!='ok'""",
        row,
    )


def _keep_scores(db: sqlite3.Connection, event: Mapping[str, Any]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO scores (key, metric, version, value, reason) VALUES (?, ?, ?, ?, ?)",
        ((event["key"], metric, *score) for metric, score in event.get("scores", {}).items()),
    )


def _keep_timing(db: sqlite3.Connection, job: Job, event: Mapping[str, Any], session: Mapping[str, Any]) -> None:
    """Store every raw second of a timed point. A point that failed when timed keeps its result and is timed again."""
    taken, protocol = event.get("timing"), job.timing
    if taken is None or protocol is None:
        return
    repeats = [dict(zip(_SECONDS, row, strict=True)) for row in zip(*(taken[name] for name in _SECONDS), strict=True)]
    conditions = _conditions(job, session, "timing", protocol.batch) | {"source_sha256": event.get("source_sha256")}
    conditions |= {name: taken.get(name) for name in TABLES["timings"] if name not in (*conditions, *_SECONDS)}
    _keep_seconds(db, event["key"], conditions, repeats)


def _conditions(job: Job, session: Mapping[str, Any], protocol: str, batch: int) -> dict[str, Any]:
    """The conditions that a point's times depend on, by column; `session` has those of the run's process or, where
    another machine measured the point, of that one."""
    return {"session": session["id"], "host": session["host"], "device": job.device, "threads": session["threads"],
            "workers": session["workers"], "batch": batch, "protocol": protocol}  # fmt: skip


def _keep_seconds(
    db: sqlite3.Connection, key: str, conditions: Mapping[str, Any], repeats: Sequence[Mapping[str, Any]]
) -> None:
    rows = [{**conditions, **{name: seconds.get(name) for name in _SECONDS}, "key": key, "repetition": repetition}
            for repetition, seconds in enumerate(repeats)]  # fmt: skip
    if rows:
        db.executemany(insertion("timings", rows[0], "OR REPLACE"), rows)
