"""A plugin file works wherever points are measured: in local workers, under [timing], on a dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from clusters import Here
from plugin_files import TOY
from small_runs import go, measured, plan

import benchbox
from benchbox import registry
from benchbox.errors import BenchboxError
from benchbox.fork_server import ForkServer
from benchbox.plan import load_plan, make_plan, resolve
from benchbox.plugin_file import plugin_files
from benchbox.session import Silent, execute, local_executor
from benchbox.store import Workspace


def toy_plan(pictures: Path, file: Path, **more: Any) -> dict[str, Any]:
    return plan(pictures, {"id": "toy", "qualities": [2, 5]}, plugins=[str(file)], **more)


def test_a_timed_run_with_a_file_beside_its_plan_and_again_with_the_file_changed(
    tmp_path: Path, pictures: Path, toy_file: Path
) -> None:
    lines = ['dataset = "folder:pictures"', 'plugins = ["mycodec.py"]', 'metrics = ["psnr"]',
             "[[codec]]", 'id = "toy"', "qualities = [2, 5]", "[timing]", "repeats = 2"]  # fmt: skip
    (tmp_path / "t.toml").write_text("\n".join(lines), encoding="utf-8")
    frame = benchbox.run(tmp_path / "t.toml", workspace=tmp_path / "runs", workers=1, reports=[])
    assert (frame["status"] == "ok").all()
    assert set(frame["timing"]) <= {"timed", "disturbed"}
    assert frame["identity"].astype(str).str.contains("; mycodec.py sha256 ").all()
    stored = load_plan(tmp_path / "runs" / "t" / "plan.toml")
    assert stored.plugins == (str(toy_file),)
    first = measured(tmp_path)
    again = go(tmp_path, toy_plan(pictures, toy_file))
    assert measured(tmp_path) == first  # named otherwise, it is the same file
    assert list(again["key"]) == list(frame["key"])
    toy_file.write_text(TOY.replace(", 9)", ", 1)"), encoding="utf-8")
    changed = go(tmp_path, toy_plan(pictures, toy_file))
    assert not set(changed["key"]) & set(first)
    assert (changed["bytes"] > again["bytes"]).all()


@pytest.mark.slow
def test_a_file_that_changes_before_the_workers_start_stops_the_run(
    tmp_path: Path, pictures: Path, toy_file: Path
) -> None:
    made = make_plan(toy_plan(pictures, toy_file), "plan")
    plugins, place = registry.load(files=plugin_files(made.plugins)), Workspace.at(tmp_path / "runs")
    toy_file.write_text(TOY + "\n", encoding="utf-8")
    wanted = pytest.raises(BenchboxError, match=r"mycodec\.py: has changed since the command began")
    with wanted, ForkServer() as server:
        executor = local_executor(made, place, 1, server, plugins.files)
        execute(resolve(made, plugins, tmp_path), plugins, place, executor, Silent())
    assert measured(tmp_path) == {}
    assert (go(tmp_path, toy_plan(pictures, toy_file))["status"] == "ok").all()


@pytest.mark.filterwarnings("ignore")  # distributed warns of its own faults
@pytest.mark.parametrize("there", ["the same", "another"])
def test_a_worker_of_a_cluster_has_the_file_too_or_is_refused(
    tmp_path: Path, pictures: Path, toy_file: Path, dask_here: Callable[..., Here], there: str
) -> None:
    here = dask_here()
    from benchbox.execution.dask import DaskExecutor

    made = make_plan(toy_plan(pictures, toy_file), "plan")
    plugins, place = registry.load(files=plugin_files(made.plugins)), Workspace.at(tmp_path / "runs")
    resolved = resolve(made, plugins, tmp_path)
    if there == "another":
        toy_file.write_text(toy_file.read_text() + "# changed since")
    wanted = pytest.raises(BenchboxError, match="none of the 1 workers") if there == "another" else nullcontext()
    with wanted, here.open() as cluster:
        executor = DaskExecutor(cluster, resolved, place, plugins.files, grace=0.5)
        assert execute(resolved, plugins, place, executor, Silent()).counts == {"ok": 6}
    assert len(here.said) == (there == "another")
    assert all("mycodec.py: has changed since the command began, or is another one on" in line for line in here.said)
