"""Local worker processes with a time and a memory limit for each operating point.

Workers are forked from a process that has seen no picture (`benchbox.fork_server`), each with a guard that clears up
after it. The parent watches them from the moment a job is given until its end: it reads what each worker appends to its
spool, and kills one whose point takes too long or too much memory. Points that a dead worker left unfinished are run
again, one to a job.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchbox import machine
from benchbox.errors import BenchboxError, StoreError
from benchbox.execution.active import Active
from benchbox.execution.executor import Admit, OnPoints, PointLimits, together
from benchbox.execution.memory import held_below
from benchbox.execution.spool import write_job
from benchbox.execution.worker_process import DONE, LEAVING, READY, Ending, WorkerProcess
from benchbox.files import what_to_do
from benchbox.fork_server import THREADS, ForkServer
from benchbox.plan import Job
from benchbox.plugin_file import PluginFile, as_values
from benchbox.store import Streams

TICK = 0.05
"""Seconds between two looks at the workers: short enough to see a runaway allocation before it fills the memory."""

HELPERS_EVERY = 10
"""Looks between two at the memory of what the workers started, which take long where that is many processes."""

START_SECONDS = (20.0, 120.0)
"""A worker has as long to start as a point may take, but at least and at most these seconds."""

MOST_FAILED_STARTS = 3
"""Workers in a row that do not get as far as taking a job before the run is given up."""


class LocalExecutor:
    """Runs jobs in `workers` processes of `server`, which write events to the folder `spool` and bitstreams to
    `streams`, and load the plugin files `files`. With `core`, they stay on that processor, as timing requires."""

    threads = THREADS
    hosts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    def __init__(
        self, workers: int, limits: PointLimits, streams: Streams, spool: Path, server: ForkServer,
        files: Sequence[PluginFile] = (), core: int | None = None,
    ) -> None:  # fmt: skip
        self.workers = workers
        self._server = server
        self._limits = limits
        self._spool = spool
        self._settings = {"memory": limits.memory, "core": core, "streams": os.fspath(streams.folder),
                          "plugins": as_values(files)}  # fmt: skip

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Admit = lambda job: job) -> None:
        """Run every job; see `benchbox.execution.Executor`.

        Raises:
            StoreError: streams can no longer be kept.
            BenchboxError: no worker process starts.
        """
        try:
            self._spool.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write in {self._spool}: {error.strerror}; {what_to_do(error)}") from error
        slots = [Slot(self._server, self._settings, self._spool, self._limits) for _ in range(self.workers)]
        with contextlib.ExitStack() as stack:
            for slot in slots:
                stack.callback(slot.close)
            stack.callback(_kill, slots)  # goes first, so that their ends are waited for together
            work(slots, jobs, on_points, admit)


def work(
    slots: Sequence[Slot], jobs: Iterable[Job], on_points: OnPoints, admit: Admit,
    look: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Run every job in `slots`, each of which has one at a time."""
    queue, watch, starts = _Queue(jobs), _Watch(), _Starts()
    killed: set[str] = set()
    finished: list[tuple[Active, Ending | None]] = []
    while True:
        for slot in slots:
            slot.fill(queue, admit)
        busy = [slot for slot in slots if slot.active is not None]
        if not busy and not finished:
            return
        wait([source for slot in busy for source in slot.sources()], watch.due() if busy else 0)
        finished += [done for slot in busy if (done := slot.turn(starts)) is not None]
        for slot in slots:  # before their points are taken in, so that no worker waits for that
            slot.fill(queue, admit)
        if busy and watch.due() > 0:
            continue
        look()
        with together(on_points):  # all that came since the last look
            for active, ending in finished:
                queue.push(starts.unbegun(active, ending, on_points) or active.finish(on_points, ending, killed))
            watch.look(busy, on_points)
        for active, _ in finished:
            active.forget()
        finished.clear()


class _Queue:
    """Jobs still to run: first those to run again, then the given ones, drawn as they are needed."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._again: deque[Job] = deque()
        self._jobs = iter(jobs)

    def push(self, jobs: Iterable[Job]) -> None:
        self._again.extend(jobs)

    def pop(self) -> Job | None:
        return self._again.popleft() if self._again else next(self._jobs, None)


class _Starts:
    """Counts workers that do not start, and jobs whose worker ended before it began them."""

    def __init__(self) -> None:
        self._failed = 0
        self._unbegun: Counter[str] = Counter()

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self, why: str) -> None:
        self._failed += 1
        if self._failed >= MOST_FAILED_STARTS:
            raise BenchboxError(f"worker processes do not start ({why}); see whether a plugin or a sitecustomize.py "
                                "ends the process or waits when it is imported")

    def unbegun(self, active: Active, ending: Ending | None, on_points: OnPoints) -> list[Job]:
        """The job, whole, where its worker ended before it began it, as one may that a codec left in a bad state;
        nothing where that has happened to the job `MOST_FAILED_STARTS` times, or it was begun."""
        active.read(on_points)
        key = active.job.points[0].key
        if ending is None or active.begun or self._unbegun[key] == MOST_FAILED_STARTS:
            return []
        self._unbegun[key] += 1
        return [active.discard()]


class Slot:
    """A place for one worker process, which is started when there is a job for it and replaced when it has ended."""

    def __init__(
        self, server: ForkServer, settings: Mapping[str, Any], spool: Path, limits: PointLimits, keeps: bool = False
    ) -> None:
        self.names: Callable[[], str] = lambda: uuid.uuid4().hex
        self._server = server
        self._keeps = keeps
        self.active: Active | None = None
        self.process: WorkerProcess | None = None
        self._settings = settings
        self._spool = spool
        self._limits = limits
        self._ready = False
        self._start_seconds = min(max(limits.seconds, START_SECONDS[0]), START_SECONDS[1])

    def fill(self, queue: _Queue, admit: Admit) -> None:
        """Give it the next job that is admitted, if it has none."""
        while self.active is None and (next_job := queue.pop()) is not None:
            job = admit(next_job)
            if job is None:
                continue
            if self.process is not None and self.process.ending() is not None:
                self.close()
            if self.process is None:
                settings = {**self._settings, "metrics": job.points[0].metrics}
                self.process, self._ready = WorkerProcess(self._server, settings), False
            path = self._spool / f"{self.names()}.jsonl"
            try:
                write_job(path, job)
            except OSError as error:
                raise StoreError(f"cannot write in {self._spool}: {error.strerror}; {what_to_do(error)}") from error
            self.active = Active(job, path, self.process, self._keeps)
            self.process.give(path)

    def sources(self) -> list[Any]:
        """Connections to wait on: one becomes readable when its process reports or ends."""
        assert self.process is not None
        return [self.process.answers, self.process.report]

    def turn(self, starts: _Starts) -> tuple[Active, Ending | None] | None:
        """The job that is finished, if it is, and how its process ended if it did."""
        assert self.process is not None
        assert self.active is not None
        ending = self.process.ending()  # before the answers, which it may have given just before its end
        answers = self.process.answered()
        if READY in answers:
            self._ready = True
            starts.succeeded()
        done = DONE in answers or LEAVING in answers
        if not done and ending is None:
            return None
        active, self.active = self.active, None
        if ending is not None and not self._ready and not self.process.prepared:
            starts.failed(active.verdict or str(ending))
        if ending is not None or LEAVING in answers:
            self.close()
        return active, None if done else ending

    def enforce(self, helpers: int, on_points: OnPoints) -> None:
        """Take in what its worker wrote and kill it if it has gone beyond a limit."""
        if self.active is not None:
            self.active.read(on_points)
            self.active.enforce(self._limits, self._start_seconds, helpers)

    def close(self) -> None:
        """End its process and all that it started."""
        if self.process is not None:
            self.process.close()
            self.process = None


def _kill(slots: Iterable[Slot]) -> None:
    for slot in slots:
        if slot.process is not None:
            slot.process.kill()


class _Watch:
    """Looks at the workers once a tick."""

    def __init__(self) -> None:
        self._next = 0.0
        self._looks = 0
        self._helpers: Mapping[int, int] = {}

    def due(self) -> float:
        """Seconds until the next look; 0 when it is time."""
        return max(0.0, self._next - time.monotonic())

    def look(self, slots: Iterable[Slot], on_points: OnPoints) -> None:
        """Take in what was written and enforce the limits."""
        self._next = time.monotonic() + TICK
        slots = [slot for slot in slots if slot.process is not None]
        if self._looks % HELPERS_EVERY == 0:
            guards = [slot.process.guard_pid for slot in slots if slot.process is not None]
            self._helpers = held_below({guard for guard in guards if guard is not None})
        self._looks += 1
        for slot in slots:
            assert slot.process is not None
            slot.enforce(self._helpers.get(slot.process.guard_pid or 0, 0), on_points)


def memory_share(workers: int) -> int:
    """Bytes that one of `workers` may use if the plan sets no limit: its share of four fifths of the memory that this
    process may use."""
    return int(machine.memory() * 0.8) // max(1, workers)
