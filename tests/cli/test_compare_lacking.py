"""What only the earlier run has is named wherever two runs are compared, and no gate passes over it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from two_runs import results

import benchbox
from benchbox.cli import compare as command
from benchbox.cli import merge
from benchbox.cli.group import commands

assert all((command, merge))  # they add themselves to `commands`


def published(folder: Path, table: pd.DataFrame, metrics: list[str]) -> str:
    """`table` as the folder of a published run."""
    folder.mkdir()
    table.to_parquet(folder / "results.parquet", index=False)
    (folder / "settings.json").write_text(json.dumps({"metrics": metrics, "datasets": {}, "codecs": {}}))
    return str(folder)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, str]:
    """Folders of a run and of one that lacks a codec, a metric and a data set of it."""
    after = results()
    elsewhere = results(dataset="folder:/home/me/e").assign(sample_sha256=lambda t: "e" + t["sample"].astype(str))
    before = pd.concat([after, results(label="a|b"), elsewhere], ignore_index=True).assign(ssim=0.9)
    return published(tmp_path / "before", before, ["psnr", "ssim"]), published(tmp_path / "after", after, ["psnr"])


def compare(before: str, after: str, *options: str) -> Result:
    return CliRunner().invoke(commands, ["compare", before, after, *options], catch_exceptions=False)


def test_it_is_named_and_the_gate_does_not_pass(runs: tuple[str, str]) -> None:
    line = "only in before: codec a|b; metric ssim; data set folder:e"
    done = compare(*runs, "--fail-above", "0")
    assert done.exit_code == 3
    assert done.output.splitlines()[-1] == f"not decided: {line}"
    assert line in compare(*runs).output.splitlines()
    assert compare(*runs).exit_code == 0
    assert "- " + line.replace("|", r"\|") in compare(*runs, "--markdown").output.splitlines()
    found = json.loads(compare(*runs, "--json").output)["uncompared"]
    assert found == {"codecs": ["a|b"], "metrics": ["ssim"], "datasets": ["folder:e"], "unknown": []}


def test_what_is_not_chosen_and_what_only_the_later_run_has_is_not_named(runs: tuple[str, str]) -> None:
    assert "only in before" not in compare(*reversed(runs), "--fail-above", "0").output
    assert compare(*runs, "--fail-above", "0", "--codec", "mine", "--metric", "psnr").output.endswith(
        "not decided: only in before: data set folder:e\n")  # fmt: skip


def test_a_codec_that_is_worse_fails_all_the_same(runs: tuple[str, str], tmp_path: Path) -> None:
    worse = published(tmp_path / "worse", results(rate=1.2, spread=0.01), ["psnr"])
    done = compare(runs[0], worse, "--fail-above", "0")
    assert done.exit_code == 1
    assert "not decided: only in before" in done.output


def test_a_data_set_under_another_name_is_in_both(tmp_path: Path) -> None:
    before = published(tmp_path / "before", results(dataset="folder:/there/d"), ["psnr"])
    after = published(tmp_path / "after", results(dataset="folder:/here/e"), ["psnr"])
    done = compare(before, after, "--fail-above", "0")
    assert done.exit_code == 0
    assert "only in before" not in done.output


def test_a_metric_without_its_plugin_is_named(tmp_path: Path) -> None:
    both = [published(tmp_path / name, results(), ["psnr", "absent"]) for name in ("before", "after")]
    done = compare(*both, "--fail-above", "0")
    assert done.exit_code == 3
    assert "not decided: left out: absent, which no plugin here offers; install it, or name its" in done.output
    assert compare(*both, "--fail-above", "0", "--metric", "psnr").exit_code == 0


def test_an_import_takes_plugin_files_and_names_such_a_metric(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): return []\n")
    folder = Path(published(tmp_path / "t", results(), ["psnr", "absent"]))
    (folder / "plan.toml").write_text('name = "t"\n')
    (folder / "environment.json").write_text('{"sessions": []}')
    asked = ["import", str(folder), "--workspace", str(tmp_path / "runs"), "--plugin", str(tmp_path / "empty.py")]
    done = CliRunner().invoke(commands, asked)
    assert "t: no plugin here offers absent; name its file with --plugin" in done.output, (done.output, done.exception)


def test_python_warns(runs: tuple[str, str]) -> None:
    with pytest.warns(UserWarning, match=r"^only in before: codec a\|b; metric ssim; data set folder:/home/me/e$") as w:
        assert len(benchbox.compare(*runs)) == 1
    assert w[0].filename == __file__
    with pytest.warns(UserWarning, match="^only in before: codec a"):
        benchbox.compare(*map(benchbox.load, runs), metrics=["psnr"])
