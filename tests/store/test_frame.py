"""The frame of a run's rows: which of the stored times count."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from stored_points import JOB, POINTS, SESSION, row

from benchbox.plan import Entry
from benchbox.store import Store, Workspace, WritableStore
from benchbox.store.frame import frame


def times(place: Path, *changes: str) -> pd.Series:
    """encode_s of the points k1 and k2, of one picture, after these changes to the database."""
    workspace = Workspace.at(place)
    with WritableStore(workspace) as store:
        store.register("r", [Entry(p.key, "d", "a", "jpeg", "jpeg", p.quality) for p in POINTS])
        store.append([(JOB, row(p.key)) for p in POINTS], SESSION)
    with sqlite3.connect(workspace.database) as database:
        for change in changes:
            database.execute(change)
    database.close()
    with Store(workspace) as store:
        return frame(store, "r", [])["encode_s"]


@pytest.mark.parametrize(
    ("point", "timing", "counts"),
    [("'a'", "'a'", True), ("'a'", "'b'", False), ("NULL", "'b'", True), ("'a'", "NULL", True), ("NULL", "NULL", True)],
)
def test_times_of_another_source_do_not_count(point: str, timing: str, counts: bool, tmp_path: Path) -> None:
    found = times(tmp_path, f"UPDATE encodings SET source_sha256 = {point} WHERE key = 'k1'",
                  f"UPDATE timings SET source_sha256 = {timing} WHERE key = 'k1'")  # fmt: skip
    assert found.notna().tolist() == [counts, True]


def test_times_of_a_point_that_is_gone_do_not_count(tmp_path: Path) -> None:
    assert times(tmp_path, "DELETE FROM encodings WHERE key = 'k1'").notna().tolist() == [False, True]


def test_each_point_keeps_its_own_times_where_those_of_another_do_not_count(tmp_path: Path) -> None:
    found = times(tmp_path, "UPDATE encodings SET source_sha256 = 'a'", "UPDATE timings SET source_sha256 = 'b'",
                  "UPDATE timings SET source_sha256 = 'a', encode_s = 7 WHERE key = 'k2'")  # fmt: skip
    assert found.isna().tolist() == [True, False]
    assert found[1] == 7
