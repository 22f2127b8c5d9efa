"""Runs one job in a local process of its own with limits; a task on a cluster calls it.

Workers of a cluster are often daemons, which must not start `multiprocessing` children but may start a subprocess. The
subprocess reads a pickled task from standard input and prints JSON lines.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.errors import StoreError
from benchbox.execution.executor import PointLimits
from benchbox.execution.local import LocalExecutor
from benchbox.plan import Job
from benchbox.store import Streams


@dataclass(frozen=True)
class Task:
    """A job with all that another machine needs to run it; `streams` is on storage that every machine shares."""

    job: Job
    streams: Streams
    limits: PointLimits


def run_task(task: Task) -> list[dict[str, Any]]:
    """Run one task in a fresh interpreter; returns its finished points, including those that killed a worker.

    Raises:
        StoreError: this machine cannot write the streams, or the interpreter failed.
    """
    command = [sys.executable, "-m", "benchbox.execution.isolated"]
    done = subprocess.run(command, input=pickle.dumps(task), capture_output=True, check=False)
    if done.returncode != 0:
        raise StoreError((done.stderr.decode(errors="replace").strip().splitlines() or ["the task's process died"])[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    """Read a task, run it under its limits, print its points."""
    task: Task = pickle.loads(sys.stdin.buffer.read())

    def show(job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        for point in points:
            print(json.dumps(point), flush=True)

    with tempfile.TemporaryDirectory(prefix="benchbox-") as spool:
        try:
            LocalExecutor(1, task.limits, task.streams, Path(spool)).run([task.job], show)
        except StoreError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
