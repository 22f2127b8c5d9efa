"""`--check` finds rows that contradict themselves, measures points again, and fails where nothing was checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import benchbox
import benchbox.cli.main  # its commands join the group
from benchbox import image, registry, testing
from benchbox.cli.main import commands
from benchbox.results import PUBLISHED, Verdict, check, find_run, publish
from benchbox.store import Workspace

Change = Callable[[pd.DataFrame], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published run of two codecs, one of which declares a tolerance, on one small picture."""
    base = tmp_path_factory.mktemp("faults")
    (base / "p").mkdir()
    image.write_png(base / "p" / "a.png", testing.picture(176, 192, 3, 8))
    plan = {"name": "f", "dataset": f"folder:{base / 'p'}", "metrics": ["psnr", "ms-ssim"],
            "report": {"metrics": ["psnr"]},
            "codec": [{"id": "jpeg", "qualities": [30, 60, 80, 90]}, {"id": "resnet", "qualities": [4]}]}  # fmt: skip
    benchbox.run(plan, workspace=base / "runs", reports=[])
    publish(find_run("f", Workspace.at(base / "runs")), registry.load(), base / "published")
    return base / "published"


def forged(folder: Path, target: Path, change: Change) -> Path:
    """A copy of the published folder with a changed table, its pictures beside it, where a check looks for them."""
    shutil.copytree(folder, target)
    if not (target.parent / "p").exists():
        shutil.copytree(folder.parent / "p", target.parent / "p")
    table = pd.read_parquet(folder / PUBLISHED)
    change(table)
    table.to_parquet(target / PUBLISHED, index=False)
    return target


def verdicts(folder: Path, target: Path, change: Change, label: str) -> list[Verdict]:
    return [v for v in check(forged(folder, target, change), registry.load(), each=1) if v.label == label]


def put(column: str, value: Any, row: int = 2) -> Change:
    def change(table: pd.DataFrame) -> None:
        if str(table[column].dtype) == "category":
            table[column] = table[column].astype(object)
        table.loc[row, column] = value

    return change


@pytest.mark.parametrize(("column", "value", "words"), [
    ("bpp", np.inf, "bpp is inf"),
    ("bpp", np.nan, "bpp is nan"),
    ("bpp", -1.0, "bpp is -1.0"),
    ("bpp", 0.5, "bpp is not that of its bytes"),
    ("bytes", None, "bytes is nan"),
    ("bytes", 0, "bytes is 0.0"),
    ("width", 0, "width is 0.0"),
    ("width", 193, "bpp is not that of its bytes"),
    ("channels", None, "channels is nan"),
    ("quality", np.inf, "quality is inf"),
    ("psnr", np.inf, "psnr is inf"),
    ("psnr", -np.inf, "psnr is -inf"),
    ("ms_ssim", np.nan, "ms_ssim is null without a reason"),
    ("encode_s", np.inf, "encode_s is inf"),
    ("decode_cpu_s", -0.5, "decode_cpu_s is -0.5"),
    ("status", "fine", "its status is fine"),
    ("status", None, "its status is"),
    ("sample", None, "sample is null"),
    ("quality", 30.0, "stands in two rows"),
])  # fmt: skip
def test_a_row_that_contradicts_itself_is_found_wherever_it_stands(
    folder: Path, tmp_path: Path, column: str, value: Any, words: str
) -> None:
    """The row is the third of four, and one point a codec is drawn."""
    found = verdicts(folder, tmp_path / "x", put(column, value), "jpeg")[0]
    assert found.agrees is False
    assert words in found.words


@pytest.mark.parametrize(("column", "value", "words"), [
    ("psnr", 31.0, "psnr "), ("ms_ssim", 0.9, "ms-ssim "), ("exact", True, "exact False instead of True"),
    ("channels", 1, "channels 3 instead of 1"), ("bit_depth", 16, "bit_depth 8 instead of 16"),
])  # fmt: skip
def test_every_column_that_is_drawn_is_computed_again(
    folder: Path, tmp_path: Path, column: str, value: Any, words: str
) -> None:
    def change(table: pd.DataFrame) -> None:
        table.loc[table["label"] == "jpeg", column] = value

    found = verdicts(folder, tmp_path / "x", change, "jpeg")
    assert [v.agrees for v in found] == [False]
    assert words in found[0].words


@pytest.mark.parametrize(("label", "share", "decibels", "agrees"), [
    ("resnet", 0.007, 0.0, True), ("resnet", -0.007, 0.02, True), ("resnet", 0.0, -0.02, True),
    ("resnet", 0.03, 0.0, False), ("resnet", 0.0, 0.2, False),
    ("jpeg", 0.003, 0.0, False), ("jpeg", 0.0, 0.01, False),
])  # fmt: skip
def test_machines_may_differ_by_what_a_codec_declares(
    folder: Path, tmp_path: Path, label: str, share: float, decibels: float, agrees: bool
) -> None:
    """As measured on a processor of another maker: other bytes, a somewhat different score."""

    def change(table: pd.DataFrame) -> None:
        rows = table["label"] == label
        if share:
            table.loc[rows, "bytes"] = (table.loc[rows, "bytes"] * (1 + share)).round().astype("Int64")
            table.loc[rows, "bpp"] = 8 * table["bytes"] / (table["width"] * table["height"])
            table.loc[rows, "stream_sha256"] = "0" * 64
        table.loc[rows, "psnr"] += decibels
        table.loc[rows, "ms_ssim"] = 1 - (1 - table["ms_ssim"]) * 10 ** (decibels / 10)

    found = verdicts(folder, tmp_path / "x", change, label)
    assert [v.agrees for v in found] == [agrees]
    assert found[0].words.startswith("within what it declares: ") == agrees


def outcome(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["report", "--check", str(folder)])
    return done.exit_code, done.output.splitlines()[-1]


def test_nothing_checked_is_a_failure(folder: Path, tmp_path: Path) -> None:
    def lost(table: pd.DataFrame) -> None:
        table["codec"] = "nosuch"

    assert outcome(forged(folder, tmp_path / "a", lost)) == (
        1, "0 points could be checked: 3 could not be measured here")

    def failed(table: pd.DataFrame) -> None:
        table["status"] = "failed"

    assert outcome(forged(folder, tmp_path / "b", failed)) == (
        1, "0 points could be checked: the table has no point that went well")


def test_a_sound_folder_passes_and_a_row_that_is_not_finite_fails_it(folder: Path, tmp_path: Path) -> None:
    assert outcome(folder) == (0, "3 of 3 points agree; 0 differ; 0 could not be measured here")
    code, last = outcome(forged(folder, tmp_path / "x", put("psnr", np.inf)))
    assert (code, last) == (1, "2 of 3 points agree; 1 differ; 0 could not be measured here")


def test_a_metric_that_is_absent_here_is_said(folder: Path, tmp_path: Path) -> None:
    def change(table: pd.DataFrame) -> None:
        table["newest"] = 1.0

    found = verdicts(folder, tmp_path / "x", change, "jpeg")[0]
    assert found.agrees
    assert found.words == "same bytes, same metrics; newest not computed: no plugin offers it here"


@pytest.mark.parametrize("options", ["{", "[]", "null", "[" * 100_000])
def test_options_that_are_no_json_are_not_measured(folder: Path, tmp_path: Path, options: str) -> None:
    def change(table: pd.DataFrame) -> None:
        table["options"] = options

    found = verdicts(folder, tmp_path / "x", change, "jpeg")[0]
    assert found.agrees is None
    assert "are no JSON object" in found.words
