"""Workspaces and published folders of an earlier release, under tests/golden, open in this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import benchbox
from benchbox.store import COLUMNS, Column

GOLDEN = Path(__file__).parents[1] / "golden"
WORKSPACES = sorted(GOLDEN.glob("workspace-*"))
PUBLISHED = sorted(GOLDEN.glob("published-*"))


@pytest.mark.parametrize("golden", WORKSPACES, ids=lambda path: path.name)
def test_a_workspace_of_an_earlier_release_loads(golden: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(golden, tmp_path / "runs"))
    _is_the_past_run(benchbox.load("past", workspace))


@pytest.mark.parametrize("golden", PUBLISHED, ids=lambda path: path.name)
def test_a_published_folder_of_an_earlier_release_loads(golden: Path) -> None:
    _is_the_past_run(benchbox.load(golden))
    _is_the_past_run(benchbox.load(golden / "results.parquet"))
    again = benchbox.compare(golden, golden)
    assert set(again["verdict"]) == {"same"}


EVERY_RELEASE = {"run", "dataset", "sample", "codec", "label", "status", "key", "width", "height", "channels",
                 "bit_depth", "bytes", "bpp"}  # fmt: skip
"""Columns that every release writes, without which no report can be made."""


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.name not in EVERY_RELEASE],
                         ids=lambda column: column.name)  # fmt: skip
def test_a_column_that_a_published_table_lacks_is_null(column: Column, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PUBLISHED[0], tmp_path / "published"))
    table = pd.read_parquet(folder / "results.parquet")
    table.drop(columns=column.name, errors="ignore").to_parquet(folder / "results.parquet")
    before, frame = benchbox.load(PUBLISHED[0]), benchbox.load(folder)
    assert frame[column.name].isna().all()
    assert [*frame] == [*before]
    assert [str(frame[c].dtype) for c in frame] == [str(before[c].dtype) for c in before]
    pd.testing.assert_frame_equal(frame.drop(columns=column.name), before.drop(columns=column.name))


def _is_the_past_run(frame: pd.DataFrame) -> None:
    assert [column for column in frame if column not in ("psnr", "ms_ssim")] == [column.name for column in COLUMNS]
    assert len(frame) == 36
    assert set(frame["status"]) == {"ok"}
    assert frame.loc[frame["codec"] == "qoi", "exact"].all()
    lossy = frame[frame["codec"] != "qoi"]
    assert lossy["psnr"].between(20, 50).all()
    assert lossy["ms_ssim"].between(0.7, 1).all()
    assert set(frame["host"]) == {"first-release"}
    assert (frame["encode_s"] > 0).all()
