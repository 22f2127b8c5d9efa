"""The rows of a run in the table `entries`: replaced where they differ, and counted by status."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from benchbox.plan import Entry

_PAGE = 10_000
"""Rows that are held at a time."""


def replace_rows(db: sqlite3.Connection, run: str, rows: Iterable[Entry]) -> None:
    """Replace the rows of a run by `rows`; those that are the same already are not written. The caller holds a
    transaction."""
    count = 0
    for page, same in _pages(db, run, rows):
        if not same:
            db.executemany(
                f"INSERT OR REPLACE INTO entries (run, ordinal, {', '.join(Entry._fields)}) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((run, ordinal, *entry) for ordinal, entry in enumerate(page, count)),
            )
        count += len(page)
    db.execute("DELETE FROM entries WHERE run = ? AND ordinal >= ?", (run, count))


def are_rows(db: sqlite3.Connection, run: str, rows: Iterable[Entry]) -> bool:
    """Whether the rows of a run are exactly `rows`."""
    count = 0
    for page, same in _pages(db, run, rows):
        if not same:
            return False
        count += len(page)
    return db.execute("SELECT 1 FROM entries WHERE run = ? AND ordinal >= ?", (run, count)).fetchone() is None


def _pages(db: sqlite3.Connection, run: str, rows: Iterable[Entry]) -> Iterator[tuple[list[Entry], bool]]:
    """`rows` by pages, each with whether the run has the same at that place."""
    rest, count = iter(rows), 0
    query = (f"SELECT {', '.join(Entry._fields)} FROM entries WHERE run = ? AND ordinal >= ? AND ordinal < ? "
             "ORDER BY ordinal")  # fmt: skip
    while page := list(islice(rest, _PAGE)):
        yield page, db.execute(query, (run, count, count + len(page))).fetchall() == page
        count += len(page)


def outcomes(db: sqlite3.Connection, run: str) -> tuple[dict[str, int], list[tuple[str, str, str, int]]]:
    """The rows of a run by status, and (label, status, reason, rows) of those that are not ok; see `Store.outcomes`.

    Encodings are looked up in the order of their keys, for which SQLite sorts to group (see `benchbox.store.held`).
    """
    total = db.execute("SELECT COUNT(*) FROM entries WHERE run = ?", (run,)).fetchone()[0]
    others = db.execute(
        """SELECT label, COALESCE(status, 'missing'), COALESCE(reason, ''), SUM(rows)
           FROM (SELECT label, key, COUNT(*) AS rows FROM entries WHERE run = ? GROUP BY key, label) AS own
           LEFT JOIN encodings ON encodings.key = own.key WHERE status IS NOT 'ok'
           GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1""",
        (run,),
    ).fetchall()
    counts = Counter({"ok": total - sum(rows for *_, rows in others)})
    for _, status, _, rows in others:
        counts[status] += rows
    return dict(+counts), [found for found in others if found[1] != "missing"]
