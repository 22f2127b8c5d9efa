"""``benchbox compare``: what it prints, and the exit code that a gate in continuous integration relies on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from two_runs import results

from benchbox.cli import compare as command
from benchbox.cli.group import commands
from benchbox.errors import BenchboxError

assert command  # it adds itself to `commands`


def published(folder: Path, table: pd.DataFrame) -> str:
    """`table` as the folder of a published run."""
    folder.mkdir()
    table.to_parquet(folder / "results.parquet", index=False)
    (folder / "settings.json").write_text(json.dumps({"metrics": ["psnr"], "datasets": {}, "codecs": {}}))
    return str(folder)


def compare(tmp_path: Path, before: pd.DataFrame, after: pd.DataFrame, *options: str) -> Result:
    for name, table in (("before", before), ("after", after)):
        if not (tmp_path / name).exists():
            published(tmp_path / name, table)
    arguments = ["compare", str(tmp_path / "before"), str(tmp_path / "after"), *options]
    return CliRunner().invoke(commands, arguments, catch_exceptions=False)


WORSE = results(rate=1.1, spread=0.02)
FAILING = WORSE.assign(status=WORSE["status"].astype(object).where(WORSE["sample"] != "0.png", "crashed"))
GATES: dict[str, tuple[pd.DataFrame, pd.DataFrame, int, str]] = {
    "worse": (results(), WORSE, 1, "failed: mine, psnr: worse by at least +"),
    "the same": (results(), results(), 0, "passed"),
    "the same on one picture": (results(1), results(1), 0, "passed"),
    "better": (WORSE, results(rate=0.9, spread=0.02), 0, "passed"),
    "undecided": (results(), results(spread=0.1), 0, "passed"),
    "a little worse": (results(), results(rate=1.005), 0, "passed"),
    "few pictures": (results(3), results(3, rate=2), 3, "not decided: mine, psnr: 3 pictures with a BD-rate; an"),
    "no picture in both": (results(), results(sample_sha256="x"), 3, "share no picture"),
    "points that fail": (results(), FAILING, 1, "5 points that went through before fail"),
}


@pytest.mark.parametrize("case", GATES)
def test_the_exit_code_of_the_gate(case: str, tmp_path: Path) -> None:
    before, after, code, words = GATES[case]
    done = compare(tmp_path, before, after, "--fail-above", "1")
    assert done.exit_code == code
    assert words in done.output


def test_the_bound_counts(tmp_path: Path) -> None:
    assert compare(tmp_path, results(), WORSE).exit_code == 0
    assert compare(tmp_path, results(), WORSE, "--fail-above", "20").exit_code == 0
    with pytest.raises(BenchboxError, match="give a percentage"):
        compare(tmp_path, results(), WORSE, "--fail-above", "nan")


def test_the_table_for_the_terminal(tmp_path: Path) -> None:
    lines = compare(tmp_path, results(), results(rate=1.1, spread=0.02, identity="mine 2")).output.splitlines()
    assert lines[1].split() == ["codec", "data", "set", "metric", "BD-rate", "95", "%", "interval", "BD-metric",
                                "pictures", "verdict"]  # fmt: skip
    assert lines[2].split()[:3] == ["mine", "folder:d", "psnr"]
    assert lines[2].endswith("worse")
    rest = "\n".join(lines[3:])
    assert "was 'mine 1', is 'mine 2'" in rest
    assert "30 of 30 points changed their bytes" in rest
    assert re.search(r"lost most: .* and 3 more$", rest, re.MULTILINE)  # of six
    assert "gained most" not in rest


def test_a_change_that_rounds_to_zero_has_no_sign_and_is_no_gain(tmp_path: Path) -> None:
    output = compare(tmp_path, results(), results(rate=1 - 4e-5)).output
    assert "-0.00" not in output
    assert "+0.00 %" in output
    assert "most:" not in output


@pytest.mark.parametrize("apart", [0, 100], ids=["the same numbers", "an axis of its own"])
def test_two_codecs_have_no_points_that_changed(tmp_path: Path, apart: int) -> None:
    """Quality 3 of the one is not that of the other."""
    other = results(rate=1.1).assign(label="other", codec="other")
    other["quality"] += apart
    output = compare(tmp_path, results(), other, "--codec", "mine=other").output
    assert "mine -> other" in output
    assert "changed their bytes" not in output
    assert "no partner" not in output


def test_one_codec_without_a_common_point_says_so(tmp_path: Path) -> None:
    other = results(rate=1.1)
    other["quality"] += 100
    output = compare(tmp_path, results(), other).output
    assert "mine, folder:d: no point went through in both runs" in output
    assert "changed their bytes" not in output


def test_markdown_shows_names_as_they_are(tmp_path: Path) -> None:
    table = results(label="a|b <img> `x` *y*")
    out = compare(tmp_path, table, table, "--markdown").output
    row = next(line for line in out.splitlines() if "psnr" in line)
    assert row.startswith(r"| a\|b \<img> \`x\` \*y\* | folder:d | psnr |")


def test_json_holds_every_picture_and_every_changed_point(tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(compare(tmp_path, results(), WORSE, "--json", "--fail-above", "1").output)
    assert found["gate"]["code"] == 1
    (codec,) = found["codecs"]
    (change,) = codec["metrics"]
    assert len(change["pictures"]) == 6
    assert list(change["pictures"].values()) == sorted(change["pictures"].values())
    assert len(codec["points"]["changed"]) == 30
    assert change["verdict"] == "worse"
    assert change["interval"][0] < change["bd_rate"] < change["interval"][1]


def test_a_folder_of_the_machine_is_not_shown(tmp_path: Path) -> None:
    table = results(dataset="folder:/home/me/d")
    for option in ("--markdown", "--json"):
        assert "/home/me" not in compare(tmp_path, table, table, option).output.replace(str(tmp_path), "")
