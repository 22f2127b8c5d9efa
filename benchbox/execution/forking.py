"""The fork server's own side: a process of one thread that loads what every worker needs, and forks guards of workers.

It sees no picture and opens no codec, so that its workers are as fresh as new interpreters. If a plugin leaves what
forks may not share (threads, open files, processes), it ends, and the run's process starts one that loads no plugins.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from typing import Any

from PIL import Image as PillowImage

from benchbox import registry
from benchbox.execution.guard_process import Descriptors, guard_worker
from benchbox.execution.server import Loaded, serve
from benchbox.plugin_file import from_values
from benchbox.processes import descendants, die_with_parent

LAST_GUARDS_SECONDS = 0.5
"""Longest wait for guards that are about to end, as they are where the run is over: the run's process has their reports
before they are gone."""


def main() -> None:
    """Fork a worker for each order, until the run's process closes its end. Never returns, as a plugin's threads would
    keep the process."""
    temporary = tempfile.gettempdir()
    own = tempfile.mkdtemp(prefix="benchbox-plugins-")
    guards: set[int] = set()
    end = os._exit  # which is refused to plugins: SIGTERM may come while one is loaded

    def leave(*_: object) -> None:
        latest = time.monotonic() + LAST_GUARDS_SECONDS
        while _reap(guards) and time.monotonic() < latest:
            time.sleep(0.002)
        shutil.rmtree(own, ignore_errors=True)
        end(0)

    signal.signal(signal.SIGTERM, leave)
    die_with_parent(signal.SIGTERM)
    control = socket.socket(fileno=int(sys.argv[2]))
    control.set_inheritable(False)
    os.environ["TMPDIR"] = tempfile.tempdir = own
    try:
        _serve(control, temporary, sys.argv[3] == "plugins", guards)
    except BaseException:
        traceback.print_exc()
    leave()


def _serve(control: socket.socket, temporary: str, loads_plugins: bool, guards: set[int]) -> None:
    before = _unshared(guards)
    loaded = _load([]) if loads_plugins else None
    files: list[list[str]] = []
    tried: set[str] = set()
    while True:
        order, numbers, _, _ = socket.recv_fds(control, 1 << 16, len(Descriptors._fields))
        if not order:
            return
        _reap(guards)
        settings = json.loads(order)
        if loaded is not None and settings.get("plugins", files) != files and not guards:
            files, tried = settings["plugins"], set()
            loaded = _load(files)
        if loaded is not None:
            wanted = [name for name in settings["metrics"] if name in loaded.registry.metrics and name not in tried]
            _open_metrics(loaded, wanted)
            tried.update(wanted)
        if _unshared(guards, len(numbers)) != before:
            print("a plugin leaves threads, open files or processes where it is imported or its metrics are opened")
            guards.clear()  # their workers go on, and another server takes over
            return
        if numbers:  # else the metrics are for workers to come
            guards.add(_fork_guard(control, settings, numbers, temporary, loaded))


def _load(files: Sequence[Sequence[str]]) -> Loaded:
    """The plugins, with the plugin files `files`, and what the first job would else load in each worker and once more
    in its second decoder: the modules of the codecs, and what Pillow reads pictures with."""
    found = registry.load(files=from_values(files))
    _ = found.codecs  # asks the plugins for them
    PillowImage.preinit()
    return Loaded(found, {})


def _reap(guards: set[int]) -> set[int]:
    """Take the guards that have ended off the set and the process table, so that their processor time is counted;
    returns those that live."""
    for pid in list(guards):
        try:
            ended = os.waitpid(pid, os.WNOHANG)[0]
        except ChildProcessError:  # `leave` came between the two lines of another call
            ended = pid
        if ended:
            guards.discard(pid)
    return guards


def _unshared(guards: set[int], given: int = 0) -> tuple[int, int, int]:
    """(threads, open files except `given` ones, processes except `guards`): what a fork loses, or may not share."""
    try:
        files = len(os.listdir("/proc/self/fd")) - given
        return len(os.listdir("/proc/self/task")), files, len(descendants(frozenset(guards)))
    except OSError:  # no /proc
        return 1, 0, 0


def _open_metrics(loaded: Loaded, names: Sequence[str]) -> None:
    """Open metrics ahead of the workers; one that fails will fail again in a worker, which tells why."""
    for name in names:
        with contextlib.suppress(Exception):
            loaded.scorers[name] = loaded.registry.metric(name).open("cpu")


def _fork_guard(
    control: socket.socket, settings: dict[str, Any], numbers: Sequence[int], temporary: str, loaded: Loaded | None
) -> int:
    """Fork the guard of a worker; returns its process id."""
    for number in numbers:
        os.set_inheritable(number, False)
    gc.freeze()  # what is loaded is never collected, so that forks go on sharing its memory
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        control.close()
        guard_worker(Descriptors(*numbers), lambda jobs, answers: serve(settings, jobs, answers, loaded), temporary)
        os._exit(0)
    for number in numbers:
        os.close(number)
    return pid
