"""``benchbox compare`` with a run that was stopped: what it has not measured is no other picture and no change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from two_runs import results

import benchbox
from benchbox.cli import compare as command
from benchbox.cli.group import commands

assert command  # it adds itself to `commands`


def compare(tmp_path: Path, before: pd.DataFrame, after: pd.DataFrame, *options: str) -> Result:
    for name, table in (("before", before), ("after", after)):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        table.to_parquet(folder / "results.parquet", index=False)
        (folder / "settings.json").write_text(json.dumps({"metrics": ["psnr"], "datasets": {}, "codecs": {}}))
    arguments = ["compare", str(tmp_path / "before"), str(tmp_path / "after"), *options]
    return CliRunner().invoke(commands, arguments, catch_exceptions=False)


def stopped(pictures: int, **more: Any) -> pd.DataFrame:
    """The run of `results` with only so many of its six pictures measured."""
    table = results(**more)
    missing = (table["sample"].astype(str) >= f"{pictures}.png").to_numpy()
    for column in ("status", "stream_sha256", "pixels_sha256", "sample_sha256", "bytes", "bpp", "psnr", "width"):
        kept = table[column].astype(object).where(~missing, "missing" if column == "status" else None)
        table[column] = kept.astype(table[column].dtype if column != "status" else "category")
    return table


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_picture_that_is_not_measured_yet_is_the_same_picture(tmp_path: Path, side: str) -> None:
    sides = (stopped(5), results()) if side == "before" else (results(), stopped(5))
    output = compare(tmp_path, *sides).output
    assert f"{side} has 5 points on 1 picture not measured yet; run its plan to its end" in output
    assert "only:" not in output
    assert "0 of 25 points changed their bytes" in output
    (codec,) = json.loads(compare(tmp_path, *sides, "--json").output)["codecs"]
    assert (codec["pictures"], codec["only_before"], codec["only_after"]) == (6, [], [])
    table = benchbox.compare(*sides)
    assert table["unmeasured"].tolist() == [5]
    assert table["verdict"].tolist() == ["undecided"]


def test_a_run_that_has_measured_nothing_says_so(tmp_path: Path) -> None:
    output = compare(tmp_path, results(), stopped(0)).output
    assert "after has measured nothing of it yet; run its plan to its end" in output
    assert "share no picture" not in output


def test_a_picture_of_other_pixels_under_the_name_is_another(tmp_path: Path) -> None:
    """Only a picture that nothing is known of is paired by its name."""
    table = results()
    table["sample_sha256"] = table["sample_sha256"].astype(str).replace("picture 0", "other").astype("category")
    output = compare(tmp_path, results(), table).output
    assert "1 picture is in before only: 0.png" in output
    assert "1 picture is in after only: 0.png" in output


def test_a_gate_does_not_pass_what_is_not_measured(tmp_path: Path) -> None:
    done = compare(tmp_path, results(), stopped(5), "--fail-above", "1")
    assert done.exit_code == 3
    assert "not decided: mine: after has 5 points on 1 picture not measured yet" in done.output


def test_what_the_earlier_run_lacks_does_not_fail_a_gate(tmp_path: Path) -> None:
    assert compare(tmp_path, stopped(5), results(), "--fail-above", "1").exit_code == 0
