"""Local worker processes with a time and a memory limit for each operating point.

Pebble's pool holds the processes: fresh interpreters (loky's start method, never fork); one that dies fails only its
own task. The parent reads the events that each worker appends to its spool, and kills a worker whose point takes too
long or too much memory. Points that a dead worker left unfinished run again, one per job.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import psutil
from loky.backend import get_context
from pebble import ProcessExpired, ProcessPool

from benchbox import machine
from benchbox.errors import StoreError
from benchbox.execution.executor import OnPoints, PointLimits
from benchbox.execution.spool import Tail, initialise, run_spooled, write_job
from benchbox.plan import Job, Point
from benchbox.store import Streams

TICK = 0.05
"""Seconds between two looks at the workers: short enough to see a runaway allocation before it fills the memory."""

HELPERS_EVERY = 10
"""Looks between two readings of the system's process table, which take long where many processes run."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@contextlib.contextmanager
def thread_environment(threads: int) -> Iterator[None]:
    """Set the thread variables for processes started inside; numeric libraries read them once, when loaded."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update({name: str(threads) for name in _THREAD_VARIABLES})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class LocalExecutor:
    """Runs jobs in `workers` processes, which write events to the folder `spool` and bitstreams to `streams`. With
    `core`, they stay on that processor, as timing requires."""

    threads = 1
    """Threads that numeric libraries may use in a worker."""

    def __init__(
        self, workers: int, limits: PointLimits, streams: Streams, spool: Path, core: int | None = None
    ) -> None:
        self.workers = workers
        self._limits = limits
        self._streams = streams
        self._spool = spool
        self._core = core
        self._session = uuid.uuid4().hex[:12]

    def run(self, jobs: Iterable[Job], on_points: OnPoints, wanted: Callable[[Job], bool] = lambda job: True) -> None:
        """Run every job; see `benchbox.execution.Executor`. Raises StoreError if streams cannot be written."""
        queue = _Queue(jobs)
        active: dict[Future[None], _Active] = {}
        try:
            self._spool.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write in {self._spool}: {error.strerror}") from error
        with thread_environment(self.threads), self._pool() as pool:
            try:
                watch = _Watch(self._limits)
                while queue or active:
                    while queue and len(active) < 2 * self.workers:  # a second job per worker hides the round trip
                        job = queue.pop()
                        if wanted(job):
                            submitted = self._submit(pool, job)
                            active[submitted.future] = submitted
                    for future in wait(active, timeout=watch.due(), return_when=FIRST_COMPLETED).done:
                        queue.push(active.pop(future).finish(on_points))
                    if watch.due() == 0:  # not after each finished job, or it never rests
                        watch.look(active.values(), on_points)
            except BaseException:
                for one in active.values():
                    one.kill("stopped")
                pool.stop()
                raise

    def _pool(self) -> Any:
        return ProcessPool(
            max_workers=self.workers, context=get_context("loky"),
            initializer=initialise, initargs=(self._limits.memory, self._core),
        )  # fmt: skip

    def _submit(self, pool: Any, job: Job) -> _Active:
        path = self._spool / f"{self._session}-{uuid.uuid4().hex[:12]}.jsonl"
        write_job(path, job)
        future = pool.schedule(run_spooled, args=[job, self._streams, path, os.getpid()])
        return _Active(job, future, Tail(path))


class _Queue:
    """Jobs still to run: first those to run again, then the given ones, drawn as they are needed."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._again: deque[Job] = deque()
        self._jobs = iter(jobs)
        self._next = next(self._jobs, None)

    def __bool__(self) -> bool:
        return bool(self._again) or self._next is not None

    def push(self, jobs: Iterable[Job]) -> None:
        self._again.extend(jobs)

    def pop(self) -> Job:
        if self._again:
            return self._again.popleft()
        job, self._next = self._next, next(self._jobs, None)
        assert job is not None
        return job


class _Watch:
    """Looks at the workers once a tick."""

    def __init__(self, limits: PointLimits) -> None:
        self._limits = limits
        self._next = 0.0
        self._looks = 0
        self._helpers: Mapping[int, int] = {}

    def due(self) -> float:
        """Seconds until the next look; 0 when it is time."""
        return max(0.0, self._next - time.monotonic())

    def look(self, active: Iterable[_Active], on_points: OnPoints) -> None:
        """Read new events and enforce the limits."""
        self._next = time.monotonic() + TICK
        if self._looks % HELPERS_EVERY == 0:
            self._helpers = _held_by_helpers()
        self._looks += 1
        for one in active:
            one.read(on_points)
            one.enforce(self._limits, self._helpers)


def _held_by_helpers() -> Counter[int]:
    """Bytes held by the processes that each worker started, by the worker's process id."""
    held: Counter[int] = Counter()
    family = {process.pid: process for process in psutil.Process().children(recursive=True)}
    for process in family.values():
        with contextlib.suppress(psutil.Error):
            top, parent = process.pid, process.ppid()
            while parent in family:
                top, parent = parent, family[parent].ppid()
            if top != process.pid:
                held[top] += int(process.memory_info().rss)
    return held


class _Active:
    """A submitted job: the point it is at and since when, its process, and why it was killed, if it was."""

    def __init__(self, job: Job, future: Future[None], tail: Tail) -> None:
        self.job = job
        self.future = future
        self._tail = tail
        self._done: set[str] = set()
        self._at: str | None = None
        self._since = 0.0
        self._process: psutil.Process | None = None
        self._verdict: tuple[str, str, str] | None = None  # key, status, reason
        self._oom_kills = machine.oom_kills()

    def read(self, on_points: OnPoints) -> None:
        """Read the events that the worker has written since the last call."""
        points = []
        stop = None
        for event in self._tail.events():
            if event["event"] == "start":
                self._start(event)
            elif event["event"] == "point":
                self._done.add(event["key"])
                self._at = None
                points.append(event)
            else:
                stop = event["reason"]
        if points:
            on_points(self.job, points)
        if stop is not None:
            raise StoreError(stop)

    def _start(self, event: dict[str, Any]) -> None:
        self._at, self._since = event["key"], time.monotonic()
        if self._process is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process = psutil.Process(event["pid"])

    def enforce(self, limits: PointLimits, helpers: Mapping[int, int]) -> None:
        """Kill the worker if its point exceeds the limits; `helpers` as from `_held_by_helpers`."""
        if self._at is None or self._process is None or self._verdict is not None:
            return
        seconds = time.monotonic() - self._since
        if seconds > limits.seconds:
            self.kill("timeout", f"not finished after {limits.seconds:g} s")
        elif (used := self._memory() + helpers.get(self._process.pid, 0)) > limits.memory:
            self.kill("memory", f"used {used >> 20} MiB of the {limits.memory >> 20} MiB allowed")

    def _memory(self) -> int:
        """Resident memory of the worker in bytes."""
        assert self._process is not None
        try:
            return int(self._process.memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self, status: str, reason: str = "") -> None:
        """Kill the worker process and its children at once."""
        self._verdict = (self._at or "", status, reason)
        if self._process is None:
            return
        with contextlib.suppress(psutil.Error):
            for child in self._process.children(recursive=True):
                child.kill()
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def finish(self, on_points: OnPoints) -> list[Job]:
        """After the future is done: blame the point that a dead worker was at; returns the rest, one point per job."""
        self.read(on_points)
        error = self.future.exception()
        if error is not None and not isinstance(error, ProcessExpired):
            raise error
        if error is not None and self._verdict is None and self._at is None and self._left():
            self._at = self._left()[0].key  # it died before it reported a point
        if error is not None and self._at is not None:
            on_points(self.job, [{"event": "point", "key": self._at, **self._blame(error)}])
            self._done.add(self._at)
        self._tail.remove()
        return [self.job.only([point]) for point in self._left()] if error is not None else []

    def _blame(self, error: ProcessExpired) -> dict[str, str]:
        if self._verdict is not None and self._verdict[0] == self._at:
            return {"status": self._verdict[1], "reason": self._verdict[2]}
        if error.exitcode == -signal.SIGKILL and machine.oom_kills() > self._oom_kills:
            return {"status": "memory", "reason": "the system ended the worker for want of memory; give it more, or "
                                                  "run with fewer --workers"}
        return {"status": "crashed", "reason": f"the worker died ({_exit(error.exitcode)})"}

    def _left(self) -> list[Point]:
        return [point for point in self.job.points if point.key not in self._done]


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit status {code}"


def memory_share(workers: int) -> int:
    """Bytes that one of `workers` may use if the plan sets no limit: its share of four fifths of the memory that this
    process may use."""
    return int(machine.memory() * 0.8) // max(1, workers)


