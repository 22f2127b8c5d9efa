"""The worker's side of a local run: measure a job and write each event to a file, one JSON line at a time.

The file outlives the worker and the parent, so it holds everything that was measured before either died.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import pickle
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchbox import registry
from benchbox.errors import StoreError
from benchbox.plan import Job
from benchbox.store import Streams
from benchbox.work import Worker, run_job

ADDRESS_SPACE_SLACK = 8 << 30
"""Bytes of address space beyond the memory limit, since libraries map far more than they use."""


def initialise(memory: int, core: int | None = None) -> None:
    """Prepare a worker process: leave Ctrl-C to the parent; stay on the processor `core`, if given; limit the address
    space to `memory` bytes and `ADDRESS_SPACE_SLACK`, except where CUDA, which maps far more, is present."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    if core is not None:
        os.sched_setaffinity(0, {core})
    if not Path("/dev/nvidiactl").exists():
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = memory + ADDRESS_SPACE_SLACK
        if hard == resource.RLIM_INFINITY or bound < hard:
            resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


@functools.cache
def _process_worker() -> Worker:
    """The one worker of this process, which keeps codecs, metrics and the picture between jobs."""
    return Worker(registry.load())


def _end_with_parent() -> None:
    """Have the system kill this process when its parent dies; otherwise a codec that hangs would outlive the run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG, prctl(2)


def write_job(path: Path, job: Job) -> None:
    """Write the job next to its spool, so that a spool left behind can be read without the process that made it."""
    path.with_suffix(".job").write_bytes(pickle.dumps(job))


def run_spooled(job: Job, streams: Streams, path: Path, parent: int) -> None:
    """Measure `job` and append events to the file `path`; stop between points once the process `parent` has ended."""
    with path.open("a", encoding="utf-8") as file:

        def emit(event: dict[str, Any]) -> None:
            file.write(json.dumps({**event, "pid": os.getpid()}) + "\n")
            file.flush()

        try:
            run_job(_process_worker(), job, streams, emit, go_on=lambda: os.getppid() == parent)
        except StoreError as error:
            emit({"event": "stop", "reason": str(error)})


class Tail:
    """Reads the events appended to a spool file since the last call; an incomplete last line waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of complete lines that were not read yet."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        end = data.rfind(b"\n") + 1
        self._offset += end
        for line in data[:end].splitlines():
            yield json.loads(line)

    def remove(self) -> None:
        """Delete the spool and its job file."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".job").unlink(missing_ok=True)


def left_behind(folder: Path) -> Iterator[tuple[Job, list[dict[str, Any]], Tail]]:
    """The spools of a killed run: each job with its finished points and the spool itself."""
    for path in sorted(folder.glob("*.jsonl")):
        tail = Tail(path)
        with contextlib.suppress(OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError):
            job = pickle.loads(path.with_suffix(".job").read_bytes())
            points = [event for event in tail.events() if event["event"] == "point"]
            yield job, points, tail
