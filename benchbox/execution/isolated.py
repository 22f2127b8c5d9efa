"""One job in a limited local process of its own: what a task on a cluster runs.

A cluster's workers are often daemons, which may not have child processes of Python's own kind; an ordinary subprocess
may. It is given a pickled task on standard input and answers with JSON lines.
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
    """A job with all that a machine elsewhere needs; `streams` lies on storage that every machine shares."""

    job: Job
    streams: Streams
    limits: PointLimits


def run_task(task: Task) -> list[dict[str, Any]]:
    """Run one task in a fresh interpreter; returns its finished points, blamed ones among them.

    Raises:
        StoreError: the streams cannot be kept on this machine, or the interpreter could not do its work.
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
