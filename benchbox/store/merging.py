"""Takes over what another workspace holds. Keys say all that a measurement depends on, so two workspaces that never met
agree on them; taking the same over twice changes nothing.

Of two outcomes of one key the better stays: a result, before a picture that is not supported, before a failure. Of two
results that differ in bytes or pixels the one that is here stays, with its scores and times, and the other is counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchbox.store import foreign, opening
from benchbox.store.database import WritableStore
from benchbox.store.held import UNSCORED
from benchbox.store.tables import TABLES
from benchbox.store.taken_runs import TakenRun, take_runs
from benchbox.store.workspace import Workspace

OTHER = "other"
"""Name of the schema of the workspace that is taken over."""

CLOSE = 1e-6
"""Scores that differ by less, relative to the larger of 1 and the value, are equal: sums in another order."""


@dataclass(frozen=True)
class Taken:
    """What a workspace brought.

    Attributes:
        points: number of its encodings; `new` were not here, `better` replaced a worse outcome.
        clashes: codec id -> number of points whose bytes or pixels are others here, under the same key.
        scores: number of its scores that are others here, of the same pixels and version of the metric.
        runs: where its runs are now.
    """

    points: int
    new: int
    better: int
    clashes: Counter[str]
    scores: int
    runs: tuple[TakenRun, ...]


class MergingStore(WritableStore):
    """A store that takes over others. The caller holds the workspace's lock."""

    @contextmanager
    def taking(self, other: Workspace) -> Iterator[Taken]:
        """Take all rows of `other` over when the block ends well, and none when it does not; `streams_of_other` gives
        the streams that belong to them.

        Raises:
            StoreError: `other` is no workspace, is damaged or changes meanwhile, or this one cannot be written.
        """
        with opening.attached(self._db, other, OTHER) as still_the_same:
            foreign.check(self._db, OTHER, other.database)
            with self._transaction() as db:
                db.execute("BEGIN IMMEDIATE")
                yield self._take(db, other)
                still_the_same()

    def streams_of_other(self) -> Iterator[tuple[str, int]]:
        """(SHA-256, bytes) of every stream of the workspace that is being taken over."""
        return self._db.execute(f"SELECT DISTINCT stream_sha256, bytes FROM {OTHER}.encodings WHERE status = 'ok' "
                                "AND stream_sha256 IS NOT NULL")  # fmt: skip

    def _take(self, db: sqlite3.Connection, other: Workspace) -> Taken:
        clashes = Counter(dict(db.execute(f"SELECT o.codec, COUNT(*) {_BOTH} WHERE {_CLASH} GROUP BY 1").fetchall()))
        differ = f"""SELECT COUNT(*) FROM {OTHER}.scores AS s JOIN main.scores AS m USING (key, metric, version)
            WHERE abs(s.value - m.value) > {CLOSE} * max(1, abs(m.value)) AND s.key NOT IN (SELECT o.key {_BOTH} WHERE
            {_CLASH})"""
        (scores,) = db.execute(differ).fetchone()
        (points,), (before,) = _count(db, f"{OTHER}.encodings"), _count(db, "main.encodings")
        db.execute("CREATE TEMP TABLE clashing (key TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute(f"INSERT INTO clashing SELECT o.key {_BOTH} WHERE {_CLASH}")
        changed = db.execute(_insertion(db, "encodings", "WHERE true", f"""ON CONFLICT (key) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in TABLES["encodings"] if name != "key")}
            WHERE {_rank("excluded")} < {_rank("encodings")} OR ({_rank("excluded")} = {_rank("encodings")}
            AND excluded.status != 'ok' AND excluded.attempts > encodings.attempts)""")).rowcount
        ours = f"""JOIN {OTHER}.encodings AS o USING (key) WHERE o.status = 'ok'
            AND t.key NOT IN (SELECT key FROM clashing)"""
        db.execute(_insertion(db, "scores", ours, f"""ON CONFLICT (key, metric, version) DO UPDATE SET
            value = excluded.value, reason = excluded.reason
            WHERE {_missing("scores")} AND NOT {_missing("excluded")}"""))
        db.execute(_insertion(db, "timings", ours, "ON CONFLICT (key, session, repetition) DO NOTHING"))
        (after,) = _count(db, "main.encodings")
        db.execute("DROP TABLE clashing")
        runs = tuple(take_runs(db, OTHER, other.folder.name, self.workspace.imported_runs()))
        return Taken(points, after - before, changed - (after - before), clashes, scores, runs)


_BOTH = f"FROM {OTHER}.encodings AS o JOIN main.encodings AS m USING (key)"
_CLASH = """o.status = 'ok' AND m.status = 'ok'
            AND (o.stream_sha256 != m.stream_sha256 OR o.pixels_sha256 != m.pixels_sha256)"""


def _rank(row: str) -> str:
    """The rank of an outcome in SQL; lower is better."""
    return f"CASE {row}.status WHEN 'ok' THEN 0 WHEN 'unsupported' THEN 1 ELSE 2 END"


def _missing(row: str) -> str:
    """Whether a score is missing since something failed, in SQL."""
    return f"({row}.value IS NULL AND substr({row}.reason, 1, {len(UNSCORED)}) = '{UNSCORED}')"


def _insertion(db: sqlite3.Connection, table: str, where: str, conflict: str) -> str:
    names = foreign.columns(db, OTHER, table)
    return (f"INSERT INTO main.{table} ({', '.join(names)}) SELECT {', '.join(f't.{name}' for name in names)} "
            f"FROM {OTHER}.{table} AS t {where} {conflict}")  # fmt: skip


def _count(db: sqlite3.Connection, table: str) -> tuple[int]:
    found: tuple[int] = db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    return found
