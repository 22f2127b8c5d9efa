"""A workspace does not depend on the current folder, and refuses runs with the names it uses itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import go, plan

from benchbox.errors import PlanError
from benchbox.store import Workspace, locate


def test_a_relative_workspace_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.at("runs")
    sha256 = workspace.streams.put(b"abc")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert workspace.streams.get(sha256) == b"abc"
    assert str(workspace) == str(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert str(workspace) == "runs"


@pytest.mark.parametrize("name", [
    "streams", "spool", "lock", "LOCK", "store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal",
])  # fmt: skip
def test_a_run_may_not_take_a_name_of_the_workspace(name: str, tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(PlanError, match=f"a run cannot be called '{name}'"):
        go(tmp_path, plan(pictures, {"id": "jpeg", "qualities": [50]}, name=name))
    assert not (tmp_path / "runs").exists()


def test_a_run_is_found_by_name_or_by_folder(tmp_path: Path) -> None:
    here = Workspace.at(tmp_path)
    assert locate("demo", here) == (here, "demo")
    assert locate(tmp_path / "other" / "demo", here) == (Workspace.at(tmp_path / "other"), "demo")
    assert locate(f"{tmp_path}/other/demo", here)[1] == "demo"
