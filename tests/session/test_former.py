"""A run whose codec has changed says so, and what it was stays addressable as ``NAME~1`` wherever a run is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from small_runs import plan

import benchbox
from benchbox.cli import compare, data, report, show
from benchbox.cli.group import commands
from benchbox.errors import PlanError, StoreError
from benchbox.session import Silent

assert all((compare, data, report, show))  # they add themselves to `commands`

Version = Callable[[int], None]


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def go(tmp_path: Path, codec: dict[str, Any]) -> tuple[pd.DataFrame, str]:
    """The results of a run of `codec`, and what the run said."""
    said = Said()
    asked = plan(tmp_path / "pictures", codec)
    return benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[], progress=said), "\n".join(said.lines)


def call(tmp_path: Path, *arguments: str) -> str:
    whole = [*arguments, "--workspace", str(tmp_path / "runs")]
    return CliRunner().invoke(commands, whole, catch_exceptions=False).output


MINE: dict[str, Any] = {"id": "mine", "qualities": [2, 4]}


@pytest.mark.slow
def test_a_changed_codec_keeps_the_former_run(tmp_path: Path, pictures: Path, mine: Version) -> None:
    first, said = go(tmp_path, MINE)
    assert "changed" not in said
    mine(20)
    second, said = go(tmp_path, MINE)
    assert "mine has changed since t was last run: 'mine 10' -> 'mine 20'; 6 of its points were measured before" in said
    assert "what t was stays as t~1" in said
    assert "mine: 6 of 6 points have other bytes than in t~1" in said
    former = benchbox.load("t~1", tmp_path / "runs")
    assert set(former["run"]) == {"t~1"}
    pd.testing.assert_frame_equal(former.drop(columns="run"), first.drop(columns="run"))
    pd.testing.assert_frame_equal(benchbox.load(tmp_path / "runs" / "t~1"), former)
    assert list(second["bytes"] > first["bytes"]) == [True] * 6
    assert set(benchbox.compare("t~1", "t", workspace=tmp_path / "runs")["changed"]) == {6}

    mine(10)  # back again: nothing is measured, and numbers move up
    third, said = go(tmp_path, MINE)
    assert "0 of 6 points to measure" in said
    pd.testing.assert_frame_equal(third, first)
    for name, frame in (("t~1", second), ("t~2", first)):
        pd.testing.assert_frame_equal(benchbox.load(name, tmp_path / "runs").drop(columns="run"),
                                      frame.drop(columns="run"))  # fmt: skip
    assert "identity" in (tmp_path / "runs" / "t" / "settings.json").read_text()

    listed = call(tmp_path, "list", "runs")
    assert [line.split()[0] for line in listed.splitlines()] == ["run", "t", "t~1", "t~2"]
    assert "0 streams deleted" in call(tmp_path, "gc")
    assert "'mine 20'" in call(tmp_path, "compare", "t", "t~1")
    written = call(tmp_path, "report", "t~1", "--format", "tables")
    assert "t~" in written
    assert "mine 20" in "".join(path.read_text() for path in (tmp_path / "runs").glob("t~*/settings.json"))
    call(tmp_path, "publish", "t~1", "--output", str(tmp_path / "published"))
    assert set(benchbox.load(tmp_path / "published")["identity"]) == {"mine 20"}

    assert "6 rows forgotten" in call(tmp_path, "forget", "t~1")
    with pytest.raises(StoreError, match=r"no run is called 't~1' in .*; there are: t, t~2"):
        benchbox.load("t~1", tmp_path / "runs")
    assert "6 streams deleted" in call(tmp_path, "gc")
    assert len(benchbox.load("t~2", tmp_path / "runs")) == 6


def test_other_options_under_one_label_count_as_a_change(tmp_path: Path, pictures: Path) -> None:
    codec: dict[str, Any] = {"id": "webp", "label": "mine", "qualities": [50], "options": {"method": 2}}
    go(tmp_path, codec)
    _, said = go(tmp_path, codec | {"options": {"method": 3}})
    assert "mine has changed since t was last run: method 2 -> 3; 3 of its points" in said
    assert benchbox.load("t~1", tmp_path / "runs")["options"].str.contains('"method":2').all()


def test_a_version_that_never_worked_is_not_kept(tmp_path: Path, pictures: Path, mine: Version) -> None:
    asked = plan(pictures, {"id": "mine", "qualities": [2]})
    (pictures / "0.png").write_bytes(b"no picture")
    for name in ("1.png", "2.png"):
        (pictures / name).unlink()
    benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[])
    mine(20)
    benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[])
    with pytest.raises(StoreError, match=r"there are: t$"):
        benchbox.load("t~1", tmp_path / "runs")


def test_only_a_run_makes_former_runs() -> None:
    with pytest.raises(PlanError, match="a name is at most 200 letters"):
        benchbox.run({"name": "t~1", "dataset": "samples", "codec": [{"id": "jpeg"}]})


def test_a_store_without_former_runs_says_so(tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(Path(__file__).parents[1] / "golden" / "workspace-1", tmp_path / "runs"))
    before = (workspace / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match=r"no run is called 'past~1' in .*; there are: past"):
        benchbox.load("past~1", workspace)
    assert (workspace / "store.sqlite").read_bytes() == before
