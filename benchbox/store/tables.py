"""The tables of the results database, by column: created if absent, migrated if older.

Three tables hold measurements: `encodings` (what was encoded, how, and the outcome), `scores` (one value or reason for
each encoding, metric and version) and `timings` (every raw second). `entries` says which encodings belong to a run.
`digests` remembers pixel digests, so that pictures need not be decoded again; `notes` the reader's notes on them.
`formers` says where the record of a former run lies.

A new column is added here, at the end of its table and without NOT NULL: a database of an earlier release gains it
when it is next opened to write, and reads as null until then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

VERSION = 2
"""Version of the tables; raise it when columns are added. A database of a later version is refused."""

TABLES: Mapping[str, Mapping[str, str]] = {
    "encodings": {
        "key": "TEXT PRIMARY KEY", "codec": "TEXT NOT NULL", "options": "TEXT NOT NULL", "identity": "TEXT NOT NULL",
        "quality": "REAL", "device": "TEXT NOT NULL", "sample_sha256": "TEXT NOT NULL", "status": "TEXT NOT NULL",
        "reason": "TEXT NOT NULL", "width": "INTEGER", "height": "INTEGER", "channels": "INTEGER",
        "bit_depth": "INTEGER", "bytes": "INTEGER", "exact": "INTEGER", "stream_sha256": "TEXT",
        "pixels_sha256": "TEXT", "attempts": "INTEGER NOT NULL", "measured": "TEXT NOT NULL", "source_sha256": "TEXT",
    },
    "scores": {
        "key": "TEXT NOT NULL", "metric": "TEXT NOT NULL", "version": "TEXT NOT NULL", "value": "REAL",
        "reason": "TEXT NOT NULL",
    },
    "timings": {
        "key": "TEXT NOT NULL", "session": "TEXT NOT NULL", "repetition": "INTEGER NOT NULL", "host": "TEXT NOT NULL",
        "device": "TEXT NOT NULL", "threads": "INTEGER NOT NULL", "workers": "INTEGER NOT NULL",
        "batch": "INTEGER NOT NULL", "protocol": "TEXT NOT NULL", "others": "REAL", "peak_bytes": "INTEGER",
        "encode_s": "REAL", "decode_s": "REAL", "encode_cpu_s": "REAL", "decode_cpu_s": "REAL", "source_sha256": "TEXT",
    },
    "entries": {
        "run": "TEXT NOT NULL", "ordinal": "INTEGER NOT NULL", "key": "TEXT NOT NULL", "dataset": "TEXT NOT NULL",
        "sample": "TEXT NOT NULL", "label": "TEXT NOT NULL", "codec": "TEXT NOT NULL", "quality": "REAL",
    },
    "digests": {"stamp": "TEXT PRIMARY KEY", "sha256": "TEXT NOT NULL"},
    "notes": {"stamp": "TEXT PRIMARY KEY", "notes": "TEXT NOT NULL"},
    "formers": {"run": "TEXT PRIMARY KEY", "folder": "TEXT NOT NULL"},
}  # fmt: skip
"""Table -> column -> its type in SQLite."""
ADDED = frozenset({"source_sha256"})
"""Columns that databases of earlier releases lack."""


class DamagedRows(sqlite3.DatabaseError):
    """A row holds a value that its column cannot have."""


_KEYS = {"scores": "key, metric, version", "timings": "key, session, repetition", "entries": "run, ordinal"}
"""Primary keys of more than one column."""


def migrate(db: sqlite3.Connection) -> None:
    """Create the tables and columns that are absent, and set the version."""
    for table, columns in TABLES.items():
        lines = [f"{name} {kind}" for name, kind in columns.items()]
        lines += [f"PRIMARY KEY ({_KEYS[table]})"] if table in _KEYS else []
        db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(lines)}) WITHOUT ROWID")
        present = _present(db, table)
        for name in columns:
            if name not in present:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
    db.execute(f"PRAGMA user_version={VERSION}")


def selection(db: sqlite3.Connection, table: str, names: Iterable[str]) -> str:
    """The columns `names` of `table` for a SELECT; columns that an older database lacks are null."""
    present = _present(db, table)
    return ", ".join(f"{table}.{name} AS {name}" if name in present else f"NULL AS {name}" for name in names)


def of_one_source(db: sqlite3.Connection) -> str:
    """A condition on timings joined with their encodings: both were measured with the same files of the codec's plugin,
    as far as that is known. Always true in an older database, which lacks the columns."""
    if all("source_sha256" in _present(db, table) for table in ("encodings", "timings")):
        return "(timings.source_sha256 = encodings.source_sha256) IS NOT 0"
    return "1"


def insertion(table: str, names: Iterable[str], conflict: str = "") -> str:
    """An INSERT of the columns `names` as named parameters; `conflict` goes between INSERT and INTO."""
    names = list(names)
    return f"INSERT {conflict} INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


def _present(db: sqlite3.Connection, table: str) -> set[str]:
    return {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
