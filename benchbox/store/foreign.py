"""Checks another workspace's tables, every value, before any row is taken into this one. A frame must be able to read
whatever passes: else one bad workspace spoils all that it is united with.

SQLite keeps any type in any column, names of runs and digests become names of files, and a workspace that was sent by
someone else may hold anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchbox.errors import StoreError, one_line
from benchbox.store.accepted import NEEDED, RANGES, STATUSES, check_texts
from benchbox.store.tables import ADDED, TABLES, DamagedRows
from benchbox.store.workspace import shown

TAKEN = ("encodings", "scores", "timings", "entries", "formers")
"""Tables that are taken over. Digests and notes of pictures hold for the files of one machine."""


_TYPES = {"TEXT": "'text'", "INTEGER": "'integer'", "REAL": "'real', 'integer'"}
_HEX = ("stream_sha256", "pixels_sha256")
_NAME = "GLOB '[A-Za-z0-9]*' AND length({0}) <= 240 AND {0} NOT GLOB '*[^A-Za-z0-9._~-]*'"
_LONGEST_KEY = 200


def columns(db: sqlite3.Connection, schema: str, table: str) -> list[str]:
    """The columns that a table of an attached database has; none if there is no such table."""
    present = [name for _, name, *_ in db.execute(f"PRAGMA {schema}.table_info({table})")]
    return [name for name in TABLES[table] if name in present]


def check(db: sqlite3.Connection, schema: str, path: Path) -> None:
    """Check every row of the attached database, which is the file `path`.

    Raises:
        StoreError: a row holds what no run writes; names the table, the column and what it holds.
    """
    for table in TAKEN:
        present = columns(db, schema, table)
        if not present and table == "formers":
            continue
        if lacking := [name for name in TABLES[table] if name not in present and name not in ADDED]:
            what = f"column {lacking[0]} in the table" if present else "table"
            raise StoreError(f"{shown(path)}: is damaged (there is no {what} {table}); name another workspace")
        cases = " ".join(f"WHEN ({' AND '.join(f'({rule})' for rule in _rules(table, name))}) IS NOT 1 THEN '{name}'"
                         for name in present)  # fmt: skip
        wrong = db.execute(f"SELECT CASE {cases} END AS wrong, * FROM {schema}.{table} WHERE wrong IS NOT NULL LIMIT 1")
        if (row := wrong.fetchone()) is not None:
            held = dict(zip((column[0] for column in wrong.description), row, strict=True))[row[0]]
            raise StoreError(f"{shown(path)}: is damaged ({table}: {row[0]} is {one_line(repr(held), 60)}); run its "
                             "plan anew in another workspace, or leave it out")
    try:
        check_texts({"options": (text for (text,) in db.execute(f"SELECT DISTINCT options FROM {schema}.encodings"))})
    except DamagedRows as error:
        raise StoreError(f"{shown(path)}: is damaged ({error}); run its plan anew in another workspace, or leave it out"
                         ) from error
    badly = db.execute(f"""SELECT run FROM {schema}.entries GROUP BY run HAVING MIN(ordinal) != 0
        OR MAX(ordinal) != COUNT(*) - 1 OR COUNT(DISTINCT ordinal) != COUNT(*)""").fetchone()
    if badly is not None:
        raise StoreError(f"{shown(path)}: is damaged (rows of {badly[0]} are not numbered from 0 on); run its plan "
                         "anew in another workspace, or leave it out")


def _rules(table: str, name: str) -> Iterator[str]:
    """Conditions on a column of a table that hold for every row that a run writes."""
    kind, *rest = TABLES[table][name].partition(" ")[::2]
    needed = "NOT NULL" in rest[0] or "PRIMARY KEY" in rest[0]
    free = "" if needed else f"{name} IS NULL OR "
    yield f"{free}typeof({name}) IN ({_TYPES[kind]})"
    if kind == "TEXT":  # as everything is that a run stores: one line without control characters
        yield f"{free}{name} NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*'"
    if name in RANGES and table != "entries":
        lowest, highest = RANGES[name]
        yield f"{name} IS NULL OR {name} BETWEEN {lowest!r} AND {highest!r}"
        if name in NEEDED:
            yield f"status != 'ok' OR {name} IS NOT NULL"
    elif name == "exact":
        yield "exact IS NULL OR exact IN (0, 1)"
    elif kind == "REAL":  # infinities would end as numbers in tables
        yield f"{name} IS NULL OR abs({name}) <= 1.7976931348623157e308"
    elif name == "status":
        yield f"status IN ({_listed(STATUSES)})"
    elif name in _HEX:
        yield f"{name} IS NULL OR length({name}) = 64 AND {name} NOT GLOB '*[^0-9a-f]*'"
    elif name in ("run", "folder"):
        yield f"{name} {_NAME.format(name)}"
    elif name == "key":
        yield f"length(key) <= {_LONGEST_KEY}"
    elif name == "attempts":
        yield "attempts BETWEEN 0 AND 1000000000"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)
