"""A workspace that anyone may have written: whatever a row holds, it is refused in one line, or taken and readable."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchbox import registry
from benchbox.errors import BenchboxError, StoreError
from benchbox.results import find_run, load_frame
from benchbox.store import MergingStore, Workspace

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"
COLUMNS = [(table, column) for table, columns in {
    "encodings": "key codec options identity quality device sample_sha256 status reason width height channels "
                 "bit_depth bytes exact stream_sha256 pixels_sha256 attempts measured",
    "scores": "key metric version value reason", "timings": "key session repetition host threads batch encode_s",
    "entries": "run ordinal key dataset sample label codec quality",
}.items() for column in columns.split()]  # fmt: skip
VALUES = (st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8) | st.binary(max_size=4)
          | st.sampled_from(["../../x", "ok", "a\x1b[31m", "0" * 64, math.inf, -1, 2**60, "é\u2028"]))


def taken(source: Path, into: Path) -> None:
    with MergingStore(Workspace.at(into)) as store, store.taking(Workspace.at(source)):
        pass


def fault_of_reading(workspace: Path) -> str:
    try:
        load_frame(find_run("past", Workspace.at(workspace)), registry.load())
    except BenchboxError as error:
        return str(error)
    return ""


@settings(max_examples=25)
@example(("encodings", "options"), "[1", 0)
@example(("encodings", "exact"), 7, 0)
@example(("encodings", "bytes"), None, 0)
@given(st.sampled_from(COLUMNS), VALUES, st.integers(0, 35))
def test_any_value_is_refused_in_one_line_or_readable(place: tuple[str, str], value: Any, row: int) -> None:
    table, column = place
    with tempfile.TemporaryDirectory() as folder:
        source, into = Path(folder) / "source", Path(folder) / "into"
        shutil.copytree(GOLDEN, source, ignore=shutil.ignore_patterns("streams"))
        with sqlite3.connect(source / "store.sqlite") as db, contextlib.suppress(sqlite3.IntegrityError):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE key = (SELECT key FROM encodings LIMIT 1 OFFSET ?)",
                       (value, row))  # fmt: skip
        try:
            taken(source, into)
        except StoreError as error:
            said = str(error)
        else:
            said = "taken"
        assert said == "taken" or ("is damaged" in said and len(said.splitlines()) == 1)
        if said == "taken":
            shutil.copytree(source / "past", into / "past")
            assert "is damaged" not in fault_of_reading(into)


@pytest.mark.parametrize("table", ["encodings", "scores", "timings", "entries"])
def test_a_table_that_is_missing_is_named(table: str, tmp_path: Path) -> None:
    source = Path(shutil.copytree(GOLDEN, tmp_path / "source"))
    with sqlite3.connect(source / "store.sqlite") as db:
        db.execute(f"DROP TABLE {table}")
    with pytest.raises(StoreError, match=rf"store.sqlite: is damaged \(there is no table {table}\)"):
        taken(source, tmp_path / "into")
