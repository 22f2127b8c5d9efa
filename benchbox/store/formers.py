"""Former runs: what a run was before its codec changed stays as ``NAME~1``, what it was before that as ``NAME~2``.

Only the rows of the table `entries` change their run's name, all in one transaction. The plan, settings and
environment of a former run lie in a folder of their own, whose name never changes; the table `formers` says which.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

MARK = "~"
"""Between a run's name, which cannot hold it, and the number of a former run."""


@dataclass(frozen=True)
class MeasuredWith:
    """What the points of one label of a run were measured with: codec id, options (JSON), identity and device; `points`
    is their number, `ok` that of those that went through."""

    label: str
    codec: str
    options: str
    identity: str
    device: str
    points: int
    ok: int


def measured_with(db: sqlite3.Connection, run: str) -> list[MeasuredWith]:
    """What the measured points of a run were measured with, by label."""
    rows = db.execute(
        """SELECT label, encodings.codec, options, identity, device, COUNT(*), SUM(status = 'ok')
           FROM entries JOIN encodings USING (key) WHERE run = ? GROUP BY 1, 2, 3, 4, 5""",
        (run,),
    )
    return [MeasuredWith(*row) for row in rows]


def first_measured(db: sqlite3.Connection, run: str, labels: Iterable[str]) -> list[MeasuredWith]:
    """What the first point that went through was measured with, for each of `labels` that has one. All points that a
    run lists under a label are of one configuration, so that one of them tells what `measured_with` counts."""
    waiting, found = set(labels), []
    rows = db.execute("SELECT label, key FROM entries WHERE run = ? ORDER BY ordinal", (run,))
    while waiting and (row := rows.fetchone()) is not None:
        label, key = row
        if label not in waiting:
            continue
        known = db.execute("SELECT codec, options, identity, device FROM encodings WHERE key = ? AND status = 'ok'",
                           (key,)).fetchone()
        if known is not None:
            waiting.discard(label)
            codec, options, identity, device = known
            found.append(MeasuredWith(label, codec, options, identity, device, 1, 1))
    return found


def former_folder(db: sqlite3.Connection, run: str) -> str | None:
    """Name of the folder of the former run called `run`; None if there is no such former run."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'formers'").fetchone():  # an older store
        return None
    row = db.execute("SELECT folder FROM formers WHERE run = ?", (run,)).fetchone()
    return None if row is None else str(row[0])


def set_aside(db: sqlite3.Connection, run: str, folder: str) -> str:
    """Rename a run to its first former run, whose files are in `folder`, and former runs to make room; returns the new
    name. The caller holds a transaction."""
    taken = 0
    while db.execute("SELECT 1 FROM formers WHERE run = ?", (f"{run}{MARK}{taken + 1}",)).fetchone():
        taken += 1
    for number in range(taken, 0, -1):
        _rename(db, f"{run}{MARK}{number}", f"{run}{MARK}{number + 1}")
    former = f"{run}{MARK}1"
    _rename(db, run, former)
    db.execute("INSERT INTO formers (run, folder) VALUES (?, ?)", (former, folder))
    return former


def changed_bytes(db: sqlite3.Connection, before: str, after: str) -> list[tuple[str, int, int]]:
    """(label, points, points with other bytes) of the points that went through in both runs."""
    return list(db.execute(
        """SELECT new.label, COUNT(*), SUM(x.stream_sha256 IS NOT y.stream_sha256)
           FROM entries AS new JOIN entries AS old ON old.run = ? AND old.dataset = new.dataset
                AND old.sample = new.sample AND old.label = new.label AND old.quality IS new.quality
           JOIN encodings AS x ON x.key = new.key JOIN encodings AS y ON y.key = old.key
           WHERE new.run = ? AND x.status = 'ok' AND y.status = 'ok' GROUP BY new.label""",
        (before, after),
    ))  # fmt: skip


def _rename(db: sqlite3.Connection, run: str, name: str) -> None:
    for table in ("entries", "formers"):
        db.execute(f"UPDATE {table} SET run = ? WHERE run = ?", (name, run))
