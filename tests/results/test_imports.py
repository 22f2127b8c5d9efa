"""`benchbox import` takes a published folder in as a run that others measured, usable wherever a run is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from small_runs import plan
from stored import stored_results

import benchbox
from benchbox.cli.main import commands
from benchbox.errors import BenchboxError

PUBLISHED = Path(__file__).parents[1] / "golden" / "published-1"
WORKSPACE = PUBLISHED.with_name("workspace-1")


def call(workspace: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [*map(str, arguments), "--workspace", str(workspace)])


def printed(workspace: Path, *arguments: str | Path) -> str:
    done = call(workspace, *arguments)
    assert done.exit_code == 0, done.output or done.exception
    return done.output


def refused(workspace: Path, *arguments: str | Path) -> str:
    error = call(workspace, *arguments).exception
    assert isinstance(error, BenchboxError)
    assert len(str(error).splitlines()) == 1
    return str(error)


def test_it_is_a_run_of_the_workspace(tmp_path: Path) -> None:
    runs = Path(shutil.copytree(WORKSPACE, tmp_path / "runs"))
    for _ in range(2):
        assert "theirs: 36 rows" in printed(runs, "import", PUBLISHED, "--name", "theirs")
    frame, published = benchbox.load("theirs", runs), benchbox.load(PUBLISHED)
    pd.testing.assert_frame_equal(frame.drop(columns="run"), published.drop(columns="run"))
    assert set(frame["run"]) == {"theirs"}
    assert [line.split() for line in printed(runs, "list", "runs").splitlines()[1:]] == [
        ["past", "36"], ["theirs", "imported"]]
    assert set(benchbox.compare("past", "theirs", workspace=runs)["verdict"]) == {"same"}
    said = "imported: measured on first-release, not in this workspace"  # a note, which every report prints
    assert {about["note"] for about in stored_results("theirs", runs).codec_settings.values()} == {said}
    assert len(benchbox.load(["past", "theirs"], runs)) == 36  # the same measurements, taken once
    assert "0 streams deleted" in printed(runs, "gc")
    assert "theirs: was imported; delete its folder" in refused(runs, "forget", "theirs")
    assert "no run is called 'x' in" in refused(runs, "report", "x")
    assert "there are: past, theirs" in refused(runs, "report", "x")


@pytest.mark.slow
def test_its_rows_are_not_measurements_of_the_workspace(tmp_path: Path, pictures: Path) -> None:
    asked = plan(pictures, {"id": "qoi"})
    first = benchbox.run(asked, workspace=tmp_path / "one", workers=1, reports=[])
    shutil.copytree(tmp_path / "one" / "t", tmp_path / "published")  # as publish does, without its reports
    first.to_parquet(tmp_path / "published" / "results.parquet", index=False)
    printed(tmp_path / "two", "import", tmp_path / "published" / "results.parquet")
    own = benchbox.run(asked, workspace=tmp_path / "two", workers=1, reports=[])
    assert set(own["status"]) == {"ok"}
    assert sum(path.is_file() for path in (tmp_path / "two" / "streams").rglob("*")) == 3
    flags = ["--dataset", f"folder:{pictures}", "--codec", "qoi", "--name", "published"]
    assert "a run cannot be called 'published': an imported run" in refused(tmp_path / "two", "run", *flags)


def test_merge_takes_imported_runs_along(tmp_path: Path) -> None:
    printed(tmp_path / "one", "import", PUBLISHED, "--name", "theirs")
    other = Path(shutil.copytree(PUBLISHED, tmp_path / "other"))
    table = pd.read_parquet(other / "results.parquet")
    table.iloc[:18].to_parquet(other / "results.parquet", index=False)
    printed(tmp_path / "two", "import", other, "--name", "theirs")
    for _ in range(2):
        merge = ["merge", tmp_path / "one", tmp_path / "two", "--into", tmp_path / "all"]
        done = CliRunner().invoke(commands, [*map(str, merge)])
        assert done.exit_code == 0, done.output
        assert "  theirs is theirs-two in " in done.output
    assert [len(benchbox.load(name, tmp_path / "all")) for name in ("theirs", "theirs-two")] == [36, 18]
    assert len(printed(tmp_path / "all", "list", "runs").splitlines()) == 3


def test_a_measured_run_of_the_name_of_an_imported_one(tmp_path: Path) -> None:
    printed(tmp_path / "all", "import", PUBLISHED, "--name", "past")
    imported = benchbox.load("past", tmp_path / "all")
    for _ in range(2):
        done = CliRunner().invoke(commands, ["merge", str(WORKSPACE), "--into", str(tmp_path / "all")])
        assert done.exit_code == 0, done.output
    assert len(printed(tmp_path / "all", "list", "runs").splitlines()) == 3
    pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), imported)
    assert len(benchbox.load("past-workspace-1", tmp_path / "all")) == 36


def test_one_that_was_damaged_since_is_imported_anew_and_not_merged(tmp_path: Path) -> None:
    runs = Path(shutil.copytree(WORKSPACE, tmp_path / "runs"))
    printed(runs, "import", PUBLISHED)
    table = runs / PUBLISHED.name / "results.parquet"
    table.write_bytes(b"x" * 3000)
    merge = CliRunner().invoke(commands, ["merge", str(runs), "--into", str(tmp_path / "all")])
    assert isinstance(merge.exception, BenchboxError)
    assert "results.parquet: is not a results table" in str(merge.exception)
    assert not (tmp_path / "all").exists()
    assert "36 rows" in printed(runs, "import", PUBLISHED)
    assert len(benchbox.load(PUBLISHED.name, runs)) == 36


def test_what_cannot_be_imported_says_why(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert "no results.parquet there; name a folder that `benchbox publish` wrote" in refused(runs, "import", tmp_path)
    for name in ("..", "a/b", "~", ""):
        assert "a run cannot be called" in refused(runs, "import", PUBLISHED, "--name", name)
    assert "the workspace uses that name" in refused(runs, "import", PUBLISHED, "--name", "streams")
    broken = Path(shutil.copytree(PUBLISHED, tmp_path / "broken"))
    table = pd.read_parquet(broken / "results.parquet")
    pd.concat([table, table.iloc[:1]]).to_parquet(broken / "results.parquet", index=False)
    assert "2 rows contradict themselves (the first: the same point stands in two" in refused(runs, "import", broken)
    table.assign(bytes=-1).to_parquet(broken / "results.parquet", index=False)
    assert "is not a results table of this version" in refused(runs, "import", broken)
    (broken / "settings.json").write_text(json.dumps({"metrics": 3}))
    table.to_parquet(broken / "results.parquet", index=False)
    assert "settings.json: metrics" in refused(runs, "import", broken)
    assert not [path for path in runs.glob("*") if path.is_dir()]
    own = Path(shutil.copytree(WORKSPACE, tmp_path / "own"))
    assert "another run in" in refused(own, "import", PUBLISHED, "--name", "past")
    printed(own, "import", PUBLISHED)
    other = Path(shutil.copytree(PUBLISHED, tmp_path / "x" / "published-1"))
    table.iloc[:18].to_parquet(other / "results.parquet", index=False)
    assert "is called 'published-1'; choose another with --name" in refused(own, "import", other)
