"""A plugin file works wherever points are measured: in local workers, under [timing], on a dask cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plugin_files import TOY
from small_runs import go, measured, plan

import benchbox
from benchbox import registry
from benchbox.errors import BenchboxError, StoreError
from benchbox.execution import PointLimits
from benchbox.execution.isolated import run_task, task_text
from benchbox.fork_server import ForkServer
from benchbox.plan import Job, Point, SampleName, load_plan, make_plan, resolve
from benchbox.plugin_file import PluginFile, plugin_files
from benchbox.session import Silent, execute, local_executor, point_limits
from benchbox.store import Streams, Workspace

LIMITS = PointLimits(60, 4 << 30)


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


def test_a_machine_that_lacks_the_file_or_has_another_says_so(tmp_path: Path, toy_file: Path) -> None:
    job = Job(SampleName("samples", "x"), "", "toy", "toy", "{}", "", "cpu", (Point("k", 2, ()),))
    for file, reason in [(PluginFile(tmp_path / "gone.py", ""), r"gone\.py: there is no such file"),
                         (PluginFile(toy_file, "ab" * 32), r"mycodec\.py: has changed .* or is another one on ")]:
        with pytest.raises(StoreError, match=rf"^plugin file {tmp_path}/{reason}"):
            run_task(task_text(job, Streams(tmp_path / "streams"), LIMITS, [file]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # distributed's processes warn of its own faults
def test_a_cluster_has_the_file_too(tmp_path: Path, pictures: Path, toy_file: Path) -> None:
    pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')
    from benchbox.execution.dask import DaskExecutor

    made = make_plan(toy_plan(pictures, toy_file), "plan")
    plugins, place = registry.load(files=plugin_files(made.plugins)), Workspace.at(tmp_path / "runs")
    executor = DaskExecutor("local", point_limits(made, 2), place.streams, plugins.files)
    summary = execute(resolve(made, plugins, tmp_path), plugins, place, executor, Silent())
    assert summary.counts == {"ok": 6}
