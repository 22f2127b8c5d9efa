"""What a matched run passes over is said: codecs without a quality, qualities that the plan lists, pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import Said, go, plan

import benchbox
from benchbox.errors import PlanError, StoreError

PNG, JPEG = {"id": "png"}, {"id": "jpeg", "qualities": [20, 30]}


def test_lossless_codecs_alone_leave_nothing_to_search(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="nothing to search, since png has no quality; name a lossy codec, or take"):
        go(tmp_path, plan(pictures, PNG, match=["bpp=1"]))
    assert not (tmp_path / "runs").exists()


def test_what_is_not_used_of_a_plan_is_said(pictures: Path, tmp_path: Path) -> None:
    for file in sorted(pictures.iterdir())[1:]:
        file.unlink()
    said = Said()
    benchbox.run(plan(pictures, PNG, JPEG, match=["bpp=1"]), workspace=tmp_path / "runs", reports=[], progress=said)
    assert "png: lossless, so there is no quality to search and no row" in said.lines
    assert "jpeg: the plan's qualities are not used: match searches the whole axis" in said.lines


def test_a_run_without_results_is_not_called_unknown(pictures: Path, tmp_path: Path) -> None:
    for file in pictures.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StoreError, match=r"the run 't' has no results in .*runs: nothing of it could be measured"):
        go(tmp_path, plan(pictures, JPEG, match=["bpp=1"]))
    with pytest.raises(StoreError, match="no run is called 'other' in"):
        benchbox.load("other", tmp_path / "runs")
