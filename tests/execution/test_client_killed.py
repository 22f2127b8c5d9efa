"""A cluster whose run is killed: its workers end the run's jobs and processes and live on, and nothing that they had
measured is measured again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from clusters import gated
from machines import Machines, running
from small_runs import go, plan
from waiting import until

import benchbox
from benchbox.plan.plan import make_plan, plan_text

pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')

SAME = ["key", "status", "bytes", "stream_sha256", "pixels_sha256", "psnr", "reason"]


def run_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that a worker keeps for runs: those below dask's own, which its nanny started."""
    own = psutil.Process(worker.pid).children()
    return [process for process in psutil.Process(worker.pid).children(recursive=True) if process not in own]


def lives(process: psutil.Process) -> bool:
    """Whether a process is at work; an orphan may wait for the system to forget it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False


def spooled(folder: Path) -> dict[str, str]:
    """key -> status of the finished points in a spool."""
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return {event["key"]: event["status"] for event in map(json.loads, lines) if event["event"] == "point"}


@pytest.mark.slow
def test_workers_outlive_a_killed_run(tmp_path: Path, pictures: Path, loud: Path, machines: Machines) -> None:
    """The run is stopped first, so that its worker measures what it never hears of, and then killed."""
    go_on, far = gated(loud), tmp_path / "far"
    asked = plan(pictures, {"id": "loud", "qualities": [1, 7, 8, 9]}, plugins=[str(loud)],
                 limits={"point_seconds": 3000})  # fmt: skip
    (tmp_path / "plan.toml").write_text(plan_text(make_plan(asked, "plan")), encoding="utf-8")
    machines.scheduler()
    worker = machines.worker_here("alone")
    with running(machines, tmp_path / "plan.toml") as client:
        until(lambda: spooled(far / "spool"), "a first point")
        told = set(spooled(far / "spool"))
        client.send_signal(signal.SIGSTOP)
        go_on(9)
        until(lambda: spooled(far / "spool").keys() - told, "a point that the run does not hear of")
        of_run = run_of(worker)
        assert of_run
        client.kill()
    until(lambda: not any(map(lives, [*of_run, *run_of(worker)])), "the end of the run's processes")
    kept = spooled(far / "spool")
    assert kept.keys() - told
    assert set(kept.values()) == {"ok"}

    stored = set(benchbox.load("t", far).query("status == 'ok'")["key"])
    for quality in (7, 8):
        go_on(quality)
    with running(machines, tmp_path / "plan.toml") as client:
        assert client.wait(600) == 0
    assert f"recovered {len(kept.keys() - stored)} points of an interrupted run" in machines.log("client")
    seen, near = benchbox.load("t", far), go(tmp_path, asked)
    assert seen[SAME].equals(near[SAME])
    assert set(seen["host"]) == {os.uname().nodename}
    assert not list((far / "spool").iterdir())
    assert worker.poll() is None
    until(lambda: not any(map(lives, run_of(worker))), "the end of its processes")
