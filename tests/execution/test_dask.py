"""The same jobs on a dask cluster give the same results, misbehaving plugins included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import benchbox
from benchbox import image, registry
from benchbox.errors import UsageError
from benchbox.plan import make_plan, resolve
from benchbox.session import Silent, execute, point_limits
from benchbox.store import Streams, Workspace

pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')

from benchbox.execution.dask import DaskExecutor


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # distributed's processes warn of its own faults
def test_a_cluster_gives_what_local_processes_give(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "p").mkdir()
    for i in range(2):
        image.write_png(tmp_path / "p" / f"{i}.png", np.ascontiguousarray(photo[i:165]))
    codec = {"id": "jpeg", "qualities": [10, 50, 90]}
    asked = {"name": "t", "dataset": f"folder:{tmp_path / 'p'}", "metrics": ["psnr"], "codec": [codec]}
    plan = make_plan(asked, "plan")
    far_away = Workspace.at(tmp_path / "far")
    executor = DaskExecutor("local", point_limits(plan, 2), far_away.streams)
    plugins = registry.load()
    summary = execute(resolve(plan, plugins, tmp_path), plugins, far_away, executor, Silent())
    assert summary.counts == {"ok": 6}
    far, near = benchbox.load("t", tmp_path / "far"), benchbox.run(asked, workspace=tmp_path / "near", reports=[])
    same = ["key", "status", "bytes", "stream_sha256", "pixels_sha256", "psnr"]
    assert far[same].equals(near[same])


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path) -> None:
    plan = make_plan({"name": "t", "dataset": "samples", "codec": [{"id": "jpeg"}]}, "plan")
    executor = DaskExecutor("tcp://127.0.0.1:1", point_limits(plan, 1), Streams(tmp_path), timeout=0.5)
    with pytest.raises(UsageError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1"):
        executor.run([], lambda job, points: None)
