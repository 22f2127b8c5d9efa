"""What runs on a worker of a dask cluster. Tasks are JSON text, and so is what they answer, through the events that
dask carries from workers to clients.

A worker keeps `RunProcesses` for each run from the moment it is asked to take part until the run's client lets go of
that task's result, or is gone itself: then dask forgets the result, and the processes end, whatever they were at.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dask.typing import Key
from distributed import Worker, WorkerPlugin, get_worker
from distributed.utils import sync

from benchbox import machine
from benchbox.errors import BenchboxError, RunEndedError, one_line
from benchbox.execution.admission import outer_faults
from benchbox.execution.cluster import TOPIC
from benchbox.execution.run_processes import RunProcesses
from benchbox.plan import Job
from benchbox.plugin_file import from_values

NAME = "benchbox"
"""The name of the plugin on a worker."""

TELL_EVERY = 0.25
"""Seconds between two messages of a job, at least."""

SHARE = 0.8
"""Part of a worker's memory that its points may use together."""


class ProcessesByRun(WorkerPlugin):
    """The processes that a worker keeps for each run that it takes part in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, RunProcesses] = {}
        self._keys: dict[Key, str] = {}

    def open(self, key: Key, run: str, settings: Mapping[str, Any], slots: int) -> RunProcesses:
        """Those of `run`, kept until dask forgets the task `key`."""
        with self._lock:
            if run not in self._runs:
                self._runs[run] = RunProcesses(settings, slots)
            self._keys[key] = run
            return self._runs[run]

    def of(self, run: str) -> RunProcesses:
        """Those of a run that was opened."""
        with self._lock:
            processes = self._runs.get(run)
        if processes is None:
            raise BenchboxError("this worker does not take part in the run any more")
        return processes

    def transition(self, key: Key, start: str, finish: str, **kwargs: Any) -> None:
        """dask's: a task on this worker has another state now."""
        if key not in self._keys or finish not in ("released", "cancelled", "forgotten", "error"):
            return
        with self._lock:  # whoever opens the run from now on gets processes of its own
            run = self._keys.pop(key)
            wanted = run in self._keys.values()
            closed = [self._runs.pop(run)] if run in self._runs and not wanted else []
        _close(closed)

    def teardown(self, worker: Worker) -> None:
        """dask's: the worker ends."""
        with self._lock:
            closed = [*self._runs.values()]
            self._runs.clear()
        _close(closed)


def _close(closed: Sequence[RunProcesses]) -> None:
    for processes in closed:  # in a thread, since dask must not wait for it
        threading.Thread(target=processes.close, daemon=True).start()


def take_part(text: str) -> None:
    """A task: start processes for the run that JSON `text` describes, and answer what this worker is and lacks; nothing
    where the task was withdrawn meanwhile, as the one that any worker may run is where a worker is asked by name."""
    asked = json.loads(text)
    worker = get_worker()
    slots, gpus = worker.state.nthreads, worker.state.total_resources.get("GPU", 0)
    memory = min(machine.memory(), worker.memory_manager.memory_limit or machine.memory())
    settings = asked["settings"]
    share = settings["memory"] or int(memory * SHARE) // slots
    faults = list(outer_faults(asked["needs"], share, slots, memory, gpus))
    if not faults:
        try:
            for file in from_values(settings["plugins"]):
                file.check()
            key, own = worker.get_current_task(), {**settings, "memory": share}
            faults = _processes(worker).open(key, asked["run"], own, slots).inspect(asked["needs"])
        except RunEndedError:
            return
        except BenchboxError as error:
            faults = [one_line(error)]
    tell(worker, asked["run"], [{"kind": "worker", "address": worker.address, "host": machine.host(), "slots": slots,
                                 "gpus": gpus, "faults": faults, "about": machine.describe()}])  # fmt: skip


def measure(text: str) -> None:
    """A task: run the jobs of JSON `text` in the run's processes, one after the other; points are told as they are
    finished, and the end of each job."""
    asked = json.loads(text)
    worker = get_worker()
    telling = _Telling(worker, asked["run"])
    try:
        processes = _processes(worker).of(asked["run"])
        for one in asked["jobs"]:
            telling.begin(one["name"])
            files = processes.run(Job.from_json(one["job"]), one["name"], telling.points, telling.look)
            telling.end(files)
    except BenchboxError as error:
        telling.stop(error)
    finally:
        telling.flush()


class _Telling:
    """Tells a run's client, several things at once where they come quickly."""

    def __init__(self, worker: Worker, run: str) -> None:
        self._worker = worker
        self._run = run
        self._name = ""
        self._told = 0
        self._begun = self._last = time.monotonic()
        self._waiting: list[Mapping[str, Any]] = []

    def begin(self, name: str) -> None:
        """The job called `name` begins."""
        self._name, self._told, self._begun = name, 0, time.monotonic()

    def points(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Points are finished."""
        self._told += len(points)
        self._tell({"kind": "points", "points": points})
        self.look()

    def end(self, files: int) -> None:
        """The job has ended and left so many spool files."""
        self._tell({"kind": "end", "points": self._told, "files": files, "seconds": time.monotonic() - self._begun})
        self.look()

    def stop(self, error: BenchboxError) -> None:
        """This worker cannot go on."""
        self._tell({"kind": "stop", "reason": str(error)})

    def look(self) -> None:
        """Send what waits, if the last is not just sent."""
        if time.monotonic() - self._last >= TELL_EVERY:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            tell(self._worker, self._run, self._waiting)
        self._waiting, self._last = [], time.monotonic()

    def _tell(self, message: Mapping[str, Any]) -> None:
        self._waiting.append({**message, "job": self._name})


def tell(worker: Worker, run: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Send messages to the client of a run."""
    worker.log_event(TOPIC, [run, json.dumps(messages)])


def _processes(worker: Worker) -> ProcessesByRun:
    """The worker's plugin, attached to it if it is not there."""

    async def attached() -> ProcessesByRun:
        if NAME not in worker.plugins:
            await worker.plugin_add(plugin=ProcessesByRun(), name=NAME)
        found = worker.plugins[NAME]
        assert isinstance(found, ProcessesByRun)
        return found

    plugin: ProcessesByRun = sync(worker.loop, attached)
    return plugin
