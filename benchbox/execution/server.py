"""The worker's side of a local run: a process that takes jobs, measures them and writes each event to a file.

The file outlives the worker and the run's process, so whatever was measured before either died is found in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox import registry
from benchbox.errors import BenchboxError, StoreError
from benchbox.execution.admission import NEEDS, inspect
from benchbox.execution.guard_process import MARK
from benchbox.execution.spool import read_job, seal
from benchbox.execution.worker_process import DONE, LEAVING, READY
from benchbox.metric import Scorer
from benchbox.plugin_file import from_values
from benchbox.processes import adopt_orphans, die_with_parent, end_descendants
from benchbox.registry import Registry
from benchbox.store import Streams
from benchbox.work import SecondDecoder, Worker, run_job

ADDRESS_SPACE_SLACK = 8 << 30
"""Bytes of address space beyond the memory limit: libraries map far more than they touch."""

WORN = 200
"""Open files or threads, beyond those at the start, after which a worker makes room for a fresh one: codecs that leak
them would otherwise bring down the codecs that come after them."""

SPINNING = (0.002, 0.02, 0.3)
"""Seconds for which a worker whose codecs started threads looks whether they are busy, until they are found idle."""


@dataclass(frozen=True)
class Loaded:
    """The plugins that the fork server loaded before it forked, and the metrics that it opened, by id."""

    registry: Registry
    scorers: dict[str, Scorer]


def serve(settings: dict[str, Any], jobs: int, answers: int, loaded: Loaded | None) -> None:
    """Take jobs from the file descriptor `jobs` until they end; never returns, since threads that a codec left would
    keep the process alive. Plugins are loaded here if they are not `loaded`.

    Args:
        settings: `memory` (bytes), `core` (number of a processor, or None), `streams` (a folder), `plugins` (plugin
            files, as values) and, where the run's process is on another machine, `place` (see `run_spooled`).
    """
    try:
        _serve(settings, jobs, answers, loaded)
        os._exit(0)
    except BenchboxError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    except BaseException:  # an exit that waits for no thread, and says why
        traceback.print_exc()
        os._exit(1)


def _serve(settings: dict[str, Any], jobs: int, answers: int, loaded: Loaded | None) -> None:
    _prepare(settings["memory"], settings["core"])

    def load() -> Registry:
        return loaded.registry if loaded else registry.load(files=from_values(settings["plugins"]))

    second = SecondDecoder.start((jobs, answers), load)
    adopt_orphans()
    worker = Worker(load(), second, loaded.scorers if loaded else {})
    os.write(answers, READY)
    before, folders = _held(), (tempfile.gettempdir(), second.folder)
    streams, place = Streams(Path(settings["streams"])), settings.get("place")

    def cleaned() -> bool:  # by who empties /tmp: programs of codecs and metrics could not be given files
        return not all(map(os.path.isdir, folders))

    def fit() -> bool:
        now = _held()
        worn = any(one > then + WORN for one, then in zip(now, before, strict=True))
        return not second.broken and not worn and not cleaned() and not (now[1] > before[1] and _busy())

    with os.fdopen(jobs, "rb") as orders:
        for line in orders:
            order = Path(json.loads(line))
            if order.suffix == NEEDS:
                inspect(worker, order)
                os.write(answers, DONE)
                continue
            if not cleaned():  # while it waited, as a worker of a cluster may for days
                run_spooled(worker, order, streams, fit, place)
            if not fit():
                os.write(answers, LEAVING)
                return
            os.write(answers, DONE)


def _prepare(memory: int, core: int | None) -> None:
    """Die with the guard, leave Ctrl-C to the run's process, stay on one processor `core` if one is given, and bound
    the address space where no CUDA needs it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    if core is not None:
        os.sched_setaffinity(0, {core})
    if not Path("/dev/nvidiactl").exists():
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = memory + ADDRESS_SPACE_SLACK
        if hard == resource.RLIM_INFINITY or bound < hard:
            resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def _held() -> tuple[int, int]:
    """(open files, threads) of this process."""
    try:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    except OSError:  # no /proc, or no file can be opened any more
        return (1 << 20 if Path("/proc/self").exists() else 0), threading.active_count()


def _busy() -> bool:
    """Whether threads of this process compute while it has nothing to do: what is measured next would pay for them.
    Libraries may let theirs spin for a moment after the work."""
    for seconds in SPINNING:
        began, used = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        if time.process_time() - used < 0.2 * (time.perf_counter() - began):
            return False
    return True


def run_spooled(
    worker: Worker, path: Path, streams: Streams, fit: Callable[[], bool], place: Mapping[str, Any] | None = None
) -> None:
    """Measure the job that `write_job` wrote for the spool file `path`, appending events to that file; stop between
    points where this process is no longer `fit` for them. If `place` is given (`host`, `threads`, `workers`), each
    point tells that it was measured there."""
    job = read_job(path)
    with path.open("ab") as file:

        def emit(event: dict[str, Any]) -> None:
            if event["event"] == "start":
                with contextlib.suppress(OSError):  # a codec may have closed it
                    os.write(2, b"\n" + MARK)
            elif event["event"] == "point":
                end_descendants(frozenset(worker.kept_processes))
                event = event if place is None else {**event, "place": place}
            file.write(seal({**event, "pid": os.getpid()}))
            file.flush()

        try:
            run_job(worker, job, streams, emit, fit)
        except StoreError as error:
            emit({"event": "stop", "reason": str(error)})
