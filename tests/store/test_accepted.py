"""Numbers and texts of others are refused or cleaned where they enter the store, by file and place."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_runs import plan
from stored_points import JOB, KEYS, SESSION, row

import benchbox
from benchbox.errors import DatasetError, StoreError
from benchbox.plan import Entry
from benchbox.store import Workspace, WritableStore

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "runs"))


def change(workspace: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(workspace / "store.sqlite") as database:
        database.execute(statement, values)
    database.close()


ROWS: dict[str, tuple[str, Any, str]] = {
    "negative bytes": ("encodings SET bytes", -5, "bytes"), "no bytes": ("encodings SET bytes", 0, "bytes"),
    "null bytes": ("encodings SET bytes", None, "bytes"), "half bytes": ("encodings SET bytes", 10.5, "bytes"),
    "endless bytes": ("encodings SET bytes", float("inf"), "bytes"), "text": ("encodings SET bytes", "many", "bytes"),
    "blob": ("encodings SET bytes", b"\xff", "bytes"), "huge width": ("encodings SET width", 2**62, "width"),
    "zero height": ("encodings SET height", 0, "height"), "channels": ("encodings SET channels", 99, "channels"),
    "exact": ("encodings SET exact", 2, "exact"), "quality": ("entries SET quality", float("-inf"), "quality"),
    "endless score": ("scores SET value", float("inf"), "psnr"),
    "score in words": ("scores SET value", "high", "value"),
    "negative time": ("timings SET encode_s", -1.0, "encode_s"),
    "endless time": ("timings SET decode_cpu_s", float("inf"), "decode_cpu_s"),
    "status": ("encodings SET status", "okay", "status"),
    "options": ("encodings SET options", '{"quality" 5}', "options"),
    "options that are a list": ("encodings SET options", "[1]", "options"),
    "memory": ("timings SET peak_bytes", -1, "peak_bytes"), "batch": ("timings SET batch", 0, "batch"),
}  # fmt: skip


@pytest.mark.parametrize(("column", "value", "named"), ROWS.values(), ids=ROWS)
def test_a_row_that_no_run_gives_is_refused(column: str, value: Any, named: str, workspace: Path) -> None:
    change(workspace, f"UPDATE {column} = ?", value)
    with pytest.raises(StoreError, match=rf"store\.sqlite: is damaged \(column {named}.*; move it away or choose"):
        benchbox.load("past", workspace)


@pytest.mark.parametrize("lost", ["ordinal = 1", "ordinal = 0"])
def test_a_run_that_lost_rows_is_refused(lost: str, workspace: Path) -> None:
    change(workspace, "UPDATE entries SET run = 'elsewhere' WHERE " + lost)
    with pytest.raises(StoreError, match=r"store\.sqlite: is damaged \(some rows of run past are missing\)"):
        benchbox.load("past", workspace)


def test_zeros_in_the_file_are_said_in_one_line(workspace: Path) -> None:
    """They may hide rows from one query and not from another, as an index that leads to them does."""
    whole = (workspace / "store.sqlite").read_bytes()
    said = set()
    for start in range(0, len(whole), 1024):
        (workspace / "store.sqlite").write_bytes(whole[:start] + bytes(1024) + whole[start + 1024 :])
        try:
            benchbox.load("past", workspace)
        except StoreError as error:
            said.add(str(error).partition("(")[2].partition(")")[0])
    assert {"file is not a database", "some rows of run past are missing"} <= said


@pytest.mark.parametrize(("column", "value", "named"), [
    ("bytes", -5, "bits per pixel"), ("width", 0, "bits per pixel"), ("bytes", "many", "bits per pixel"),
    ("attempts", "often", "attempts"),
])  # fmt: skip
def test_a_search_and_a_listing_take_no_such_row_either(column: str, value: Any, named: str, workspace: Path) -> None:
    keys = list(benchbox.load("past", workspace)["key"])
    status = "failed" if column == "attempts" else "ok"
    change(workspace, f"UPDATE encodings SET {column} = ?, status = ?", value, status)

    def ask() -> None:
        with WritableStore(Workspace.at(workspace)) as store:
            store.rates(keys)
            store.have(keys, {})

    with pytest.raises(StoreError, match=named):
        ask()


def test_missing_values_are_no_fault(workspace: Path) -> None:
    change(workspace, "UPDATE scores SET value = NULL, reason = 'pictures are identical'")
    change(workspace, "UPDATE timings SET encode_s = NULL, decode_s = NULL, peak_bytes = NULL")
    frame = benchbox.load("past", workspace)
    assert frame[["psnr", "ms_ssim", "encode_s", "peak_bytes"]].isna().all().all()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WritableStore]:
    with WritableStore(Workspace.at(tmp_path)) as opened:
        opened.register("r", [Entry(key, "d", "a", "jpeg", "jpeg", 1.0) for key in KEYS])
        yield opened


WORST = "\x1b[31m\x00one\r\ntwo\udc80 " + "x" * 50_000_000


def test_reasons_of_others_become_one_line(store: WritableStore) -> None:
    store.append([(JOB, row("k1", "crashed", reason=WORST))], SESSION)
    store.append([(JOB, row("k2", scores={"psnr": ["1", None, WORST]}))], SESSION)
    ((_, _, reason, _),) = store.outcomes("r")[1]
    assert reason.startswith("[31m one two? xxx")
    assert store.scores(KEYS, "psnr", "1")["k2"] == (None, reason)
    assert len(reason) == 500


@pytest.mark.parametrize("found", [
    {"bytes": -1}, {"bytes": 1.5}, {"bytes": True}, {"bytes": 2**70}, {"width": 0}, {"encode_s": float("nan")},
    {"decode_s": float("inf")}, {"encode_cpu_s": -1.0}, {"stream_sha256": "../../etc"}, {"pixels_sha256": "x" * 10**6},
    {"scores": {"psnr": ["1", float("inf"), ""]}}, {"scores": {"psnr": ["1", float("nan"), ""]}},
    {"scores": {"psnr": ["1", "high", ""]}}, {"width": 10**400},
], ids=lambda found: str(found)[:40])  # fmt: skip
def test_what_cannot_be_measured_is_a_failure_that_says_so(found: dict[str, Any], store: WritableStore) -> None:
    store.append([(JOB, row("k1", **found))], SESSION)
    ((_, status, reason, _),) = store.outcomes("r")[1]
    name = next(iter(found.get("scores", found)))
    assert status == "failed"
    assert reason.startswith(f"the worker reported what cannot be: {name} is ")
    assert not store.have(KEYS, {})["k1"].measured


STRANGE = """
from benchbox import hookimpl
from benchbox.dataset import Dataset, DatasetInfo, Sample

class Odd(Sample):
    def __init__(self, name): self.id = name
    def load(self): raise ValueError("no pixels" + chr(0) + chr(0xdc80))
    def sha256(self): return None
    def notes(self): return ()

class Info(DatasetInfo):
    def open(self, argument): return Dataset("odd", "Odd", (Odd(NAMES[argument]),))

NAMES = {"surrogate": "a" + chr(0xdc80), "nul": "a" + chr(0), "line": "a" + chr(10) + "b", "long": "x" * 10**6,
         "none": "", "fine": "日本　語 🙂"}

@hookimpl
def benchbox_datasets(): return [Info(id="odd", title="Odd", argument="NAME")]
"""


@pytest.mark.parametrize("name", ["surrogate", "nul", "line", "long", "none"])
def test_a_sample_that_cannot_be_named_is_refused(name: str, install: Any, tmp_path: Path) -> None:
    install("odd", STRANGE)
    asked = plan(tmp_path, {"id": "png"}, dataset=f"odd:{name}")
    with pytest.raises(DatasetError, match="sample ids must be 1 to 4096 printable characters") as caught:
        benchbox.run(asked, workspace=tmp_path / "runs", reports=[])
    assert len(str(caught.value)) < 300


def test_a_sample_at_fault_is_a_row_with_plugin_file_and_line(install: Any, tmp_path: Path) -> None:
    install("odd", STRANGE)
    frame = benchbox.run(plan(tmp_path, {"id": "png"}, dataset="odd:fine"), workspace=tmp_path / "runs", reports=[])
    assert list(frame["sample"]) == ["日本　語 🙂"]
    assert frame["reason"].str.match(r".* \(plugin odd\): load raised ValueError: no pixels \? \(odd\.py:7\)").all()
