"""Runs that are killed or stopped lose at most the points being measured, and only one run at a time is at work."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tomli_w
from small_runs import go, measured, plan, rows_of
from waiting import until

import benchbox

JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}


SCRIPT = textwrap.dedent(
    """
    import json, sys
    import benchbox
    plan, workspace = json.loads(sys.argv[1]), sys.argv[2]
    benchbox.run(plan, workspace=workspace, workers=2, reports=[])
    """
)


def _results(frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    return {row.key: (row.status, row.stream_sha256, row.pixels_sha256, repr(row.psnr)) for row in rows_of(frame)}


def _killed_runs(tmp_path: Path, asked: dict[str, Any], times: int, longest: float) -> None:
    """Run in an unguarded script of its own, killed with SIGKILL at random moments, then once to the end."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), json.dumps(asked), str(tmp_path / "killed")]
    chance = random.Random(7)
    for _ in range(times):
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0.1, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    subprocess.run(command, check=True, timeout=300)


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path: Path, pictures: Path) -> None:
    asked = plan(pictures, JPEG, {"id": "webp", "qualities": [20, 80]}, {"id": "png"})
    _killed_runs(tmp_path, asked, times=3, longest=2.5)
    undisturbed = go(tmp_path, asked)
    assert _results(benchbox.load("t", tmp_path / "killed")) == _results(undisturbed)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path, kodak: Path) -> None:
    asked = plan(kodak, {"id": "jpeg"}, {"id": "webp", "qualities": "10:90:20"}, metrics=["psnr", "ms-ssim"])
    _killed_runs(tmp_path, asked, times=20, longest=6)
    undisturbed = go(tmp_path, asked)
    assert _results(benchbox.load("t", tmp_path / "killed")) == _results(undisturbed)
    assert not list((tmp_path / "killed" / "spool").glob("*"))


def test_ctrl_c_stops_in_order(tmp_path: Path, pictures: Path, evil: None) -> None:
    asked = plan(pictures, {"id": "fine"}, {"id": "sleep", "qualities": [2]})
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(asked))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs that ignore it
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, before)
    store = tmp_path / "runs" / "store.sqlite"
    until(lambda: store.exists() and len(measured(tmp_path)) >= 6, "what comes before both workers sleep")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "of 12 points were measured and are kept. Run the same command again to continue" in errors
    assert len(benchbox.load("t", tmp_path / "runs").query("status == 'ok'")) >= 6
    assert "Traceback" not in errors


def test_one_run_at_a_time(tmp_path: Path, pictures: Path) -> None:
    from benchbox.errors import StoreError
    from benchbox.store import Workspace

    with Workspace.at(tmp_path / "runs").lock(), pytest.raises(StoreError, match="another run is at work"):
        go(tmp_path, plan(pictures, JPEG))
