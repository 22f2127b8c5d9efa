"""The runs of another workspace, taken over: under the name that they have where that is free or means the same rows,
else under one that names their workspace. Former runs follow their run."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from benchbox.store import foreign
from benchbox.store.formers import MARK

_UNREADABLE = "(SELECT key FROM {0}.encodings WHERE substr(sample_sha256, 1, 11) = 'unreadable ')"
"""Keys of pictures that could not be read, which hold the reason and not the pixels."""


@dataclass(frozen=True)
class TakenRun:
    """A run of another workspace, called `name` here; `source` and `folder` are the names of its folders there and
    here. `known`: its rows were here before."""

    was: str
    name: str
    source: str
    folder: str
    known: bool


def take_runs(
    db: sqlite3.Connection, other: str, place: str, imported: Collection[str] = ()
) -> Iterator[TakenRun]:
    """Take the runs of the attached database `other` over; `place` is the name of its workspace, `imported` are names
    that imported runs have here. The caller holds a transaction."""
    folders: dict[str, str] = {}
    if foreign.columns(db, other, "formers"):
        folders = dict(db.execute(f"SELECT run, folder FROM {other}.formers"))
    runs = [run for (run,) in db.execute(f"SELECT DISTINCT run FROM {other}.entries")]
    names: dict[str, str] = {}
    for run in sorted(run for run in runs if MARK not in run):
        versions = [name for mark in ("", MARK, "-") for name in _named(db, run, mark)]
        taken = run in versions or run in imported
        same = next((name for name in versions if taken and _same(db, other, run, name)), None)
        names[run] = same or (_free(db, other, run, place, imported) if taken else run)
        yield _take(db, other, TakenRun(run, names[run], run, _folder(db, names[run]), same is not None))
    for run in sorted((run for run in runs if MARK in run), key=_number):
        now = names.get(base := run.partition(MARK)[0], base).partition(MARK)[0]
        formers = _named(db, now, MARK)
        same = next((name for name in [now, *formers] if _same(db, other, run, name)), None)
        source = folders.get(run, run)
        if same is None:
            same = f"{now}{MARK}{1 + max((_number(name)[1] for name in formers), default=0)}"
            folder = f"{now}{MARK}{source.partition(MARK)[2]}"
            while db.execute("SELECT 1 FROM main.formers WHERE folder = ?", (folder,)).fetchone():
                folder += "-2"
            db.execute("INSERT INTO main.formers (run, folder) VALUES (?, ?)", (same, folder))
            yield _take(db, other, TakenRun(run, same, source, folder, False))
        else:
            yield _take(db, other, TakenRun(run, same, source, _folder(db, same), True))


def _number(run: str) -> tuple[str, int, str]:
    base, _, number = run.partition(MARK)
    return base, int(number) if number.isdecimal() else 0, run


def _named(db: sqlite3.Connection, run: str, mark: str) -> list[str]:
    """The runs here whose name is that of `run`, `mark` and, unless that is empty, anything."""
    rule = "GLOB ? || '?*'" if mark else "= ?"
    found = db.execute(f"SELECT DISTINCT run FROM main.entries WHERE run {rule}", (run + mark,))
    return sorted((name for (name,) in found), key=_number)


def _free(db: sqlite3.Connection, other: str, run: str, place: str, imported: Collection[str]) -> str:
    """A name for a run whose own is taken here, which names its workspace."""
    here, there = ({name for (name,) in db.execute(f"SELECT DISTINCT run FROM {schema}.entries")}
                   for schema in ("main", other))  # fmt: skip
    base = name = f"{run[:150]}-{re.sub('[^A-Za-z0-9._-]+', '-', place)[:40]}"
    number = 1
    while name in here | there | {*imported}:
        number += 1
        name = f"{base}-{number}"
    return name


def _folder(db: sqlite3.Connection, run: str) -> str:
    row = db.execute("SELECT folder FROM main.formers WHERE run = ?", (run,)).fetchone()
    return run if row is None else str(row[0])


def _same(db: sqlite3.Connection, other: str, run: str, name: str) -> bool:
    """Whether the other's `run` and the run `name` here have the same rows. Names of data sets may differ, as paths do;
    so may the keys of pictures that one of them could not read."""
    counts = [db.execute(f"SELECT COUNT(*) FROM {schema}.entries WHERE run = ?", (which,)).fetchone()
              for schema, which in ((other, run), ("main", name))]  # fmt: skip
    differs = f"""SELECT 1 FROM {other}.entries AS o LEFT JOIN main.entries AS m ON m.run = ? AND m.ordinal = o.ordinal
        WHERE o.run = ? AND NOT (m.sample IS o.sample AND m.label IS o.label AND m.quality IS o.quality AND (
        m.key IS o.key OR m.key IN {_UNREADABLE.format("main")} OR o.key IN {_UNREADABLE.format(other)})) LIMIT 1"""
    return counts[0] == counts[1] and db.execute(differs, (name, run)).fetchone() is None


def _take(db: sqlite3.Connection, other: str, run: TakenRun) -> TakenRun:
    """Take the rows of a run over; of one that is here, those of pictures that could not be read here."""
    if run.known:
        db.execute(
            f"""UPDATE main.entries SET key = (SELECT o.key FROM {other}.entries AS o WHERE o.run = ?1
            AND o.ordinal = entries.ordinal) WHERE run = ?2 AND key IN {_UNREADABLE.format("main")}
            AND ordinal IN (SELECT ordinal FROM {other}.entries AS o WHERE o.run = ?1
            AND o.key NOT IN {_UNREADABLE.format(other)})""",
            (run.was, run.name),
        )
        return run
    names = ", ".join(name for name in foreign.columns(db, other, "entries") if name != "run")
    db.execute(f"INSERT INTO main.entries (run, {names}) SELECT ?, {names} FROM {other}.entries WHERE run = ?",
               (run.name, run.was))  # fmt: skip
    return run
