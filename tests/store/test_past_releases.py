"""Workspaces and published folders of an earlier release, under tests/golden, open in this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import benchbox
from benchbox.store import COLUMNS

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
