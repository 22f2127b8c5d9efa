"""One job in limited local processes: what a task on a cluster runs.

A cluster's workers are often daemons, which may not have child processes of Python's own kind; an ordinary subprocess
may. It is given a task as JSON on standard input and answers with JSON lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbox.errors import BenchboxError, StoreError
from benchbox.execution.executor import PointLimits
from benchbox.execution.local import LocalExecutor
from benchbox.execution.patience import Patience
from benchbox.fork_server import ForkServer
from benchbox.plan import Job
from benchbox.plugin_file import PluginFile, as_values, from_values
from benchbox.store import Streams


def task_text(job: Job, streams: Streams, limits: PointLimits, files: Sequence[PluginFile] = ()) -> str:
    """A job with all that a machine elsewhere needs, as JSON; `streams` are on storage that every machine shares, the
    plugin files `files` at the same paths on each of them."""
    return json.dumps({"job": job.as_json(), "streams": str(streams.folder), "seconds": limits.seconds,
                       "memory": limits.memory, "plugins": as_values(files)})  # fmt: skip


def run_task(task: str) -> list[dict[str, Any]]:
    """Run the task of `task_text` in a fresh interpreter; returns its finished points, blamed ones among them.

    Raises:
        StoreError: this machine cannot write the streams, it lacks a plugin file, or the interpreter failed.
    """
    command = [sys.executable, "-m", "benchbox.execution.isolated"]
    done = subprocess.run(command, input=task.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise StoreError((done.stderr.decode(errors="replace").strip().splitlines() or ["the task's process died"])[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    """Read a task, run it under its limits, print its points."""
    task = json.loads(sys.stdin.buffer.read())
    limits, streams = PointLimits(task["seconds"], task["memory"]), Streams(Path(task["streams"]))
    files = from_values(task["plugins"])

    patience = Patience(lambda line: None)

    def show(job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        for point in points:
            patience.learn(job, point)
            print(json.dumps(point), flush=True)

    with tempfile.TemporaryDirectory(prefix="benchbox-") as spool, ForkServer() as server:
        try:
            for file in files:
                file.check()
            executor = LocalExecutor(1, limits, streams, Path(spool), server, files)
            executor.run([Job.from_json(task["job"])], show, patience.admit)
        except BenchboxError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
