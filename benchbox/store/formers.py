"""Former runs: what a run was before its codec changed stays as ``NAME~1``, what it was before that as ``NAME~2``.

Only the rows of the table `entries` change their run's name, all in one transaction. The plan, settings and
environment of a former run lie in a folder of their own, whose name never changes; the table `formers` says which.

A codec whose plugin changed under one identity is measured again under the same keys (``--fresh``). What the store held
of such a key is copied first, under ``KEY~SOURCE``, and every other run that had the key has that one from then on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchbox.store.tables import TABLES, selection

MARK = "~"
"""Between a run's name, which cannot hold it, and the number of a former run; likewise for keys."""

_KEPT_KEY = f"encodings.key || '{MARK}' || substr(encodings.source_sha256, 1, 16)"
"""The key of a copy of an encoding."""


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


@dataclass(frozen=True)
class Since:
    """How the points of one label stand to those of a former run.

    Attributes:
        compared: number of points that went through in both.
        changed: of these, with other bytes; `decoded`: with equal bytes and other pixels.
        broken: number of points that went through in the former run and fail now.
        unpaired: number of points that went through and have no partner there, of the same picture and quality.
    """

    label: str
    compared: int
    changed: int
    decoded: int
    broken: int
    unpaired: int


class FormerRuns:
    """What a store says of former runs, and of runs that may become one; the part of `Store` that does."""

    _db: sqlite3.Connection

    def measured_with(self, run: str) -> list[MeasuredWith]:
        """What the measured points of a run were measured with, by label."""
        rows = self._db.execute(
            """SELECT label, encodings.codec, options, identity, device, COUNT(*), SUM(status = 'ok')
               FROM entries JOIN encodings USING (key) WHERE run = ? GROUP BY 1, 2, 3, 4, 5""",
            (run,),
        )
        return [MeasuredWith(*row) for row in rows]

    def first_measured(self, run: str, labels: Iterable[str]) -> list[MeasuredWith]:
        """What the first point that went through was measured with, for each of `labels` that has one. All points that
        a run lists under a label are of one configuration, so that one of them tells what `measured_with` counts."""
        waiting, found = set(labels), []
        rows = self._db.execute("SELECT label, key FROM entries WHERE run = ? ORDER BY ordinal", (run,))
        while waiting and (row := rows.fetchone()) is not None:
            label, key = row
            if label not in waiting:
                continue
            known = self._db.execute(
                "SELECT codec, options, identity, device FROM encodings WHERE key = ? AND status = 'ok'", (key,)
            ).fetchone()
            if known is not None:
                waiting.discard(label)
                codec, options, identity, device = known
                found.append(MeasuredWith(label, codec, options, identity, device, 1, 1))
        return found

    def to_replace(self, run: str, sources: Mapping[str, str]) -> dict[str, int]:
        """Label -> number of its points in a run that went through and were measured with other files of the codec's
        plugin than those of `sources` (codec id -> SHA-256). Empty where the former run ``RUN~1`` has them all, since
        then the run was stopped while it was measured again."""
        source = selection(self._db, "encodings", ["source_sha256"]).partition(" AS ")[0]
        query = f"""SELECT {{}} FROM entries JOIN encodings ON encodings.key = entries.key
                    LEFT JOIN entries AS old ON old.run = ?1 || '{MARK}1' AND old.ordinal = entries.ordinal
                    WHERE entries.run = ?1 AND status = 'ok'"""
        counted: dict[str, int] = {}
        for label, codec, known, points in self._db.execute(
            query.format(f"entries.label, encodings.codec, {source}, COUNT(*)") + " GROUP BY 1, 2, 3", (run,)
        ) if sources else ():  # fmt: skip
            if known is not None and known != sources.get(codec, known):
                counted[label] = counted.get(label, 0) + points
        if not counted:
            return {}
        kept = f"old.key IS {_KEPT_KEY} OR old.key = encodings.key"
        same = f"(old.key IS encodings.key OR substr(old.key, 1, 65) IS encodings.key || '{MARK}')"
        again = " OR ".join("(encodings.codec = ? AND encodings.source_sha256 != ?)" for _ in sources)
        lost = query.format("1") + f" AND NOT (CASE WHEN {again} THEN {kept} ELSE {same} END IS 1) LIMIT 1"
        values = [value for pair in sources.items() for value in pair]
        return counted if self._db.execute(lost, (run, *values)).fetchone() else {}

    def former_folder(self, run: str) -> str | None:
        """Name of the folder of the former run called `run`, e.g. ``"demo~1"``; None if there is no such former run."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'formers'").fetchone():  # an older store
            return None
        row = self._db.execute("SELECT folder FROM formers WHERE run = ?", (run,)).fetchone()
        return None if row is None else str(row[0])

    def since(self, before: str, after: str) -> list[Since]:
        """How the points of each label that both runs have stand to those of `before`."""
        rows = self._db.execute(
            """WITH points AS (
                   SELECT label, MAX(run = ?1) AS had, MAX(run = ?2) AS has,
                          MAX(CASE run WHEN ?1 THEN status END) AS old, MAX(CASE run WHEN ?2 THEN status END) AS new,
                          MAX(CASE run WHEN ?1 THEN stream_sha256 END) IS
                              MAX(CASE run WHEN ?2 THEN stream_sha256 END) AS alike,
                          MAX(CASE run WHEN ?1 THEN pixels_sha256 END) !=
                              MAX(CASE run WHEN ?2 THEN pixels_sha256 END) AS decoded
                   FROM entries LEFT JOIN encodings USING (key) WHERE run IN (?1, ?2)
                   GROUP BY entries.dataset, entries.sample, label, entries.quality)
               SELECT label, SUM(old = 'ok' AND new = 'ok'), SUM(old = 'ok' AND new = 'ok' AND NOT alike),
                      SUM(old = 'ok' AND new = 'ok' AND alike AND decoded), SUM(old = 'ok' AND new != 'ok'),
                      SUM(new = 'ok' AND NOT had)
               FROM points GROUP BY label HAVING MAX(had) AND MAX(has)""",
            (before, after),
        )
        return [Since(label, *(count or 0 for count in counts)) for label, *counts in rows]  # no row known: NULL


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


def keep_replaced(db: sqlite3.Connection, run: str) -> None:
    """Copy what is held of the keys in the table `wanted`, which `run` is about to measure again, for the other runs
    that have them. The caller holds a transaction."""
    db.execute("DELETE FROM wanted WHERE key NOT IN (SELECT key FROM entries WHERE run != ?)", (run,))
    for table in ("encodings", "scores", "timings"):
        names = [name for name in TABLES[table] if name != "key"]
        others = "" if table == "encodings" else f"JOIN {table} USING (key)"
        db.execute(
            f"""INSERT OR IGNORE INTO {table} (key, {", ".join(names)})
            SELECT {_KEPT_KEY}, {", ".join(f"{table}.{name}" for name in names)}
            FROM wanted CROSS JOIN encodings USING (key) {others}"""
        )
    db.execute(
        f"""UPDATE entries SET key = (SELECT {_KEPT_KEY} FROM encodings WHERE encodings.key = entries.key)
        WHERE run != ? AND key IN (SELECT key FROM wanted)""",
        (run,),
    )


def _rename(db: sqlite3.Connection, run: str, name: str) -> None:
    for table in ("entries", "formers"):
        db.execute(f"UPDATE {table} SET run = ? WHERE run = ?", (name, run))
