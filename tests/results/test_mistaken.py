"""Every command says what a path is that is no run, published folder or workspace, and what to name instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import benchbox
from benchbox.cli.main import commands
from benchbox.errors import BenchboxError, StoreError

GOLDEN = Path(__file__).parents[1] / "golden"
IN_RUN, IN_WORKSPACE = "lies in the run runs/past; name that", "lies in the workspace runs"
NO_RUN = "name a run of `benchbox list runs`, its folder, or a folder that `benchbox publish` wrote"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a workspace with a run and its report, a published folder, a report elsewhere, pictures."""
    shutil.copytree(GOLDEN / "workspace-1", tmp_path / "runs")
    shutil.copytree(GOLDEN / "published-1", tmp_path / "pub")
    for folder in ("runs/past/report/figures", "pub/tables", "elsewhere", "pictures"):
        (tmp_path / folder).mkdir(parents=True)
    for page in ("runs/past/report", "elsewhere"):
        (tmp_path / page / "index.html").write_text("<h1>past</h1>")
    monkeypatch.chdir(tmp_path)
    return tmp_path


GIVEN = [
    ("runs/past/report", IN_RUN), ("runs/past/report/index.html", IN_RUN), ("runs/past/plan.toml", IN_RUN),
    ("runs", "is a workspace, and is no run; its runs are: runs/past"),
    ("runs/streams", f"{IN_WORKSPACE}, and is no run; its runs are: runs/past"),
    ("pub/tables", "lies in the published folder pub; name that"),
    ("elsewhere", f"is a folder of reports without their run; {NO_RUN}"),
    ("pictures", f"is a folder without a run; {NO_RUN}"),
    ("nowhere/past", f"there is no such file or folder; {NO_RUN}"),
]  # fmt: skip


@pytest.mark.parametrize("command", [
    ("report", "*"), ("report", "past", "*"), ("compare", "*", "past"), ("compare", "past", "*"), ("forget", "*"),
    ("export", "*", "--output", "x.csv"), ("publish", "*", "--output", "x"),
])  # fmt: skip
def test_a_path_that_is_no_run(command: tuple[str, ...], here: Path) -> None:
    for path, said in GIVEN:
        assert refused(*[path if word == "*" else word for word in command]) == f"{path}: {said}"
    assert not (here / "x").exists()


def test_from_python(here: Path) -> None:
    for path, said in GIVEN:
        for call in (benchbox.load, lambda one: benchbox.load([here / "pub", one]),
                     lambda one: benchbox.bd_rates(one, "jpeg")):  # fmt: skip
            with pytest.raises(StoreError) as caught:
                call(path)
            assert str(caught.value) == f"{path}: {said}"


def test_a_path_that_is_no_published_folder_or_workspace(here: Path) -> None:
    published = "name a folder that `benchbox publish` wrote"
    for path, said in [
        ("runs/past", f"is a run, which `benchbox publish` makes a folder of; {published}"),
        ("runs", f"is a workspace, which `benchbox merge` takes in; {published}"),
        ("pub/tables", "lies in the published folder pub; name that"),
        ("pictures", f"no results.parquet there; {published}"),
        ("nowhere", f"there is no such file or folder; {published}"),
    ]:
        assert refused("import", path) == refused("report", "--check", path) == f"{path}: {said}"
    workspace = "name the folder that `benchbox run --workspace` wrote"
    for path, said in [
        ("runs/past", f"{IN_WORKSPACE}; name that"), ("runs/past/report", f"{IN_WORKSPACE}; name that"),
        ("pub", f"is a published folder, which `benchbox import` takes in; {workspace}"),
        ("pictures", f"is no workspace, it has no store.sqlite; {workspace}"),
    ]:
        assert refused("merge", path, "--into", "all") == f"{path}: {said}"
    assert not (here / "all").exists()


def test_names_and_folders_of_runs_are_taken_as_before(here: Path) -> None:
    (here / "past").mkdir()  # a folder in the current one that is called as a run
    for run in ("past", "runs/past", "runs/past/", here / "runs" / "past", "pub", "pub/results.parquet"):
        assert len(benchbox.load(run)) == 36
    shutil.rmtree(here / "past")
    shutil.rmtree(here / "runs" / "past")
    assert "36 rows forgotten" in CliRunner().invoke(commands, ["forget", "runs/past"]).output


def refused(*arguments: str) -> str:
    error = CliRunner().invoke(commands, arguments).exception
    assert isinstance(error, BenchboxError)
    return str(error)
