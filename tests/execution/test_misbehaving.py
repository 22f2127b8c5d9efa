"""A codec that crashes, hangs or takes too much memory fails the point it was at, however its process ends."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import tomli_w
from small_runs import go, plan
from waiting import until

from benchbox import image

JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}


def test_misbehaving_codecs_cost_the_point_they_were_at(tmp_path: Path, pictures: Path, evil: None) -> None:
    for extra in ("1.png", "2.png"):
        (pictures / extra).unlink()
    names = ["segfault", "eat", "raise", "fine", "ask", "exit", "breed"]
    eaters = plan(pictures, JPEG, *({"id": n} for n in names), limits={"memory_mib": 1500})
    sleeper = plan(pictures, {"id": "sleep"}, name="s", limits={"point_seconds": 8})  # others may take longer to fail
    frame = pd.concat([go(tmp_path, eaters), go(tmp_path, sleeper)], ignore_index=True)
    at_two = frame[frame["quality"] == 2].groupby("codec", observed=True)["status"].agg(set)
    assert at_two.to_dict() == {
        "segfault": {"crashed"}, "sleep": {"timeout"}, "eat": {"memory"}, "raise": {"failed"}, "fine": {"ok"},
        "ask": {"memory"}, "exit": {"crashed"}, "breed": {"memory"},
    }  # fmt: skip
    healthy = frame[frame["quality"] != 2]
    assert set(healthy["status"]) == {"ok"}
    reasons = frame[frame["status"] != "ok"].set_index("codec")["reason"].groupby(level=0, observed=True).first()
    assert "SIGSEGV" in reasons["segfault"]
    assert "not finished after 8 s" in reasons["sleep"]
    assert "MiB" in reasons["eat"]
    assert "ZeroDivisionError" in reasons["raise"]
    assert "exit status 3" in reasons["exit"]
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any("BREED" in part for command in commands for part in command), "the codec's own process lives on"


def test_failures_are_tried_once_more_and_then_left(tmp_path: Path, pictures: Path, evil: None) -> None:
    for attempts in (1, 2, 2):
        frame = go(tmp_path, plan(pictures, {"id": "raise"}))
        assert dict(frame["status"].value_counts()) == {"ok": 6, "failed": 3}
        with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
            tried = {a for (a,) in db.execute("SELECT attempts FROM encodings WHERE status = 'failed'")}
        assert tried == {attempts}


def test_a_codec_that_only_crashes_is_given_up(tmp_path: Path, evil: None) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(12):
        image.write_png(folder / f"{i}.png", np.full((8, 8, 3), i, np.uint8))
    asked = plan(folder, {"id": "exit", "qualities": [2]}, {"id": "fine", "qualities": [2]})
    frame = go(tmp_path, asked)
    counts = frame.groupby("codec", observed=True)["status"].value_counts().to_dict()
    assert counts[("fine", "ok")] == 12
    assert counts[("exit", "missing")] >= 1
    assert counts[("exit", "crashed")] >= 8


def test_a_hanging_codec_does_not_outlive_a_killed_run(tmp_path: Path, pictures: Path, evil: None) -> None:
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(pictures, {"id": "sleep", "qualities": [2]})))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    spool = tmp_path / "runs" / "spool"

    def begun() -> list[dict[str, Any]]:
        return [json.loads(line) for path in spool.glob("*.jsonl") for line in path.read_text().splitlines()]

    until(begun, "a first event")
    workers = [psutil.Process(event["pid"]) for event in begun()]
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=100)
    assert not alive
