"""The processes that a cluster's worker keeps for one run: a fork server with the run's plugins, and one process for
each of its threads, which stays from task to task.

Nothing is said on standard output, where codecs print: the processes speak over pipes of their own.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from benchbox import machine
from benchbox.errors import BenchboxError, RunEndedError
from benchbox.execution.admission import NEEDS
from benchbox.execution.executor import PointLimits
from benchbox.execution.kept import KeptExecutor
from benchbox.execution.local import MOST_FAILED_STARTS
from benchbox.execution.patience import Patience
from benchbox.execution.worker_process import DONE, Ending, WorkerProcess
from benchbox.fork_server import THREADS, ForkServer
from benchbox.plan import Job

Tell = Callable[[Sequence[Mapping[str, Any]]], None]
"""Called with newly finished points."""

INSPECT_SECONDS = 600.0
"""A process may take so long to find what its machine lacks: a busy machine takes minutes to import large libraries."""


class RunProcesses:
    """The processes of a worker for one run; its methods may be called from several threads.

    Args:
        settings: `streams` and `spool` (folders), `plugins` (plugin files, as values), `seconds` and `memory` (limits
            of a point; bytes).
        slots: jobs that the worker runs at once.
    """

    def __init__(self, settings: Mapping[str, Any], slots: int) -> None:
        self.server = _SharedForkServer()
        self.place = {"host": machine.host(), "threads": THREADS, "workers": slots}
        self.settings = {"core": None, "place": self.place,
                         **{name: settings[name] for name in ("memory", "streams", "plugins")}}  # fmt: skip
        self._limits = PointLimits(settings["seconds"], settings["memory"])
        self._spool = Path(settings["spool"])
        self._lock = threading.Lock()
        self._idle: list[KeptExecutor] = []
        self._closed = threading.Event()

    def inspect(self, needs: Mapping[str, Any]) -> list[str]:
        """What this machine lacks of a run's `needs`, as its worker processes find; see `benchbox.execution.admission`.

        Raises:
            RunEndedError: `close` was called.
            BenchboxError: no worker process starts.
        """
        with tempfile.TemporaryDirectory(prefix="benchbox-") as folder:
            order = Path(folder, f"run{NEEDS}")
            order.write_text(json.dumps(needs), encoding="utf-8")
            for _ in range(MOST_FAILED_STARTS):
                process = WorkerProcess(self.server, {**self.settings, "metrics": list(needs["metrics"])})
                try:
                    ending = _answered(process, order)
                finally:
                    process.close()
                if ending is None:
                    found: list[str] = json.loads(order.with_suffix(".faults").read_bytes())
                    return found
        raise BenchboxError(f"worker processes do not start ({ending})")

    def run(self, job: Job, name: str, tell: Tell, look: Callable[[], None]) -> int:
        """Run a job under the limits of a local run; `tell` receives its points as they are finished, and `look` is
        called many times a second. Returns the number of its spool files; see `KeptExecutor`.

        Raises:
            RunEndedError: `close` was called.
            StoreError: nothing more can be kept.
            BenchboxError: no worker process starts.
        """
        patience = Patience(lambda line: None)

        def on_points(done: Job, points: Sequence[Mapping[str, Any]]) -> None:
            for point in points:
                patience.learn(done, point)
            tell([{**point, "place": self.place} for point in points])

        def on_look() -> None:
            self._go_on()
            look()

        with self._executor() as executor:
            return executor.run(job, name, on_points, patience.admit, on_look)

    def close(self) -> None:
        """End all processes; jobs at work end within a moment."""
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for executor in idle:
            executor.close()
        self.server.close()

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise RunEndedError

    @contextmanager
    def _executor(self) -> Iterator[KeptExecutor]:
        """An idle executor, or a new one."""
        self._go_on()
        with self._lock:
            executor = self._idle.pop() if self._idle else None
        if executor is None:
            executor = KeptExecutor(self._limits, self.settings, self._spool, self.server)
        try:
            yield executor
        finally:
            with self._lock:
                if not self._closed.is_set():
                    self._idle.append(executor)
                    executor = None
            if executor is not None:
                executor.close()


def _answered(process: WorkerProcess, order: Path) -> Ending | None:
    """Wait until a process has carried out `order`; how it ended if it did not."""
    process.give(order)
    end = time.monotonic() + INSPECT_SECONDS
    while (left := end - time.monotonic()) > 0:
        wait([process.answers, process.report], left)
        if DONE in process.answered():
            return None
        if (ending := process.ending()) is not None:
            return ending
    return Ending(None, "it is not ready")


class _SharedForkServer(ForkServer):
    """A fork server that several threads ask for workers, until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._closed = False

    def start(self) -> None:
        with self._lock:
            if self._closed:
                raise RunEndedError
            super().start()

    def launch(self, settings: Mapping[str, Any], descriptors: Sequence[int]) -> bool:
        with self._lock:
            return super().launch(settings, descriptors)

    def kill(self) -> None:
        with self._lock:
            super().kill()

    def ending(self) -> tuple[int | None, str]:
        with self._lock:
            return super().ending()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            super().close()
