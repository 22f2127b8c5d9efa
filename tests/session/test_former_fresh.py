"""``--fresh`` measures points again under the keys that they had; what a run was before stays as ``NAME~1`` all the
same, and other runs that share the keys stay what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from installed_plugins import Install
from plugin_files import TOY
from small_runs import Said, Stopped, plan

import benchbox
from benchbox import registry
from benchbox.errors import RunInterrupted, StoreError
from benchbox.fork_server import ForkServer
from benchbox.plan import make_plan, resolve
from benchbox.session import execute, local_executor
from benchbox.store import Store, Workspace


def fresh(tmp_path: Path, asked: dict[str, Any], jobs: int | None = None) -> tuple[pd.DataFrame, str]:
    """The results of a run with ``--fresh``, stopped after so many `jobs` if they are given, and what it said."""
    plugins, place, said = registry.load(), Workspace.at(tmp_path / "runs"), Said()
    resolved = resolve(make_plan(asked, "plan"), plugins, tmp_path).fresh()
    with ForkServer() as server:
        executor = local_executor(resolved.plan, place, 1, server)
        execute(resolved, plugins, place, executor if jobs is None else Stopped(executor, jobs), said)
    return load(tmp_path, asked["name"]), "\n".join(said.lines)


def load(tmp_path: Path, name: str) -> pd.DataFrame:
    return benchbox.load(name, tmp_path / "runs")


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one.drop(columns=["run", "key"]), other.drop(columns=["run", "key"]))


@pytest.mark.slow
def test_what_a_run_was_stays_addressable(tmp_path: Path, pictures: Path, install: Install) -> None:
    install("acme-toy", TOY)
    module = tmp_path / "acme-toy" / "acme_toy.py"
    asked = plan(pictures, {"id": "toy", "qualities": [2, 5]}, {"id": "jpeg", "qualities": [50]})
    first, said = fresh(tmp_path, asked)
    other = benchbox.run(asked | {"name": "other"}, workspace=tmp_path / "runs", workers=1, reports=[])
    assert "changed" not in said
    assert "t~1" not in fresh(tmp_path, asked)[1]

    module.write_text(TOY.replace(", 9)", ", 1)"), encoding="utf-8")
    with pytest.raises(RunInterrupted):
        fresh(tmp_path, asked, jobs=1)  # of two points
    assert_same(load(tmp_path, "t~1"), first)
    second, said = fresh(tmp_path, asked)  # goes on, and makes no other former run
    assert "4 of 9 points to measure" in said
    with pytest.raises(StoreError, match=r"there are: other, t, t~1$"):
        load(tmp_path, "t~2")
    assert_same(load(tmp_path, "t~1"), first)
    assert_same(load(tmp_path, "other"), other)
    toy = (second["codec"] == "toy").to_numpy()
    assert (second["bytes"] > first["bytes"]).to_numpy()[toy].all()
    assert set(second["key"]) == set(first["key"])
    assert set(benchbox.compare("t~1", "t", workspace=tmp_path / "runs")["changed"]) == {0, 6}
    with Store(Workspace.at(tmp_path / "runs")) as store:  # every stream of both is kept by gc
        assert store.streams_in_use() == set(first["stream_sha256"]) | set(second["stream_sha256"])

    module.write_text(TOY.replace(", 9)", ", 0)"), encoding="utf-8")
    third, said = fresh(tmp_path, asked)
    assert "toy has changed since t was last run: the files of its plugin; 6 of its points were measured before" in said
    assert "what t was stays as t~1" in said
    assert "toy: 6 of 6 points have other bytes than in t~1" in said
    for name, frame in (("t", third), ("t~1", second), ("t~2", first), ("other", other)):
        assert_same(load(tmp_path, name), frame)
