"""Starts one worker, waits for its end and clears up after it: a process between the fork server and the worker.

The run's process cannot do this itself: it may be killed, and processes that a codec detached are not its children.
The guard is the one to whom the system hands every orphan below it (Linux: prctl(2), PR_SET_CHILD_SUBREAPER), so that
nothing that a codec started outlives its worker. It keeps the end of what the worker prints, gives it a private folder
for temporary files and deletes that folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable
from typing import NamedTuple

from benchbox.processes import adopt_orphans, end_descendants

MARK = b"\x1e"
"""A worker prints this before each point: what was printed before is forgotten."""

KEPT = 4096
"""Bytes kept of what a worker prints."""

_WOKEN_BY = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Descriptors(NamedTuple):
    """File descriptors of a worker and its guard: the worker reads `jobs` and writes `answers`; the guard ends the
    worker when the other end of `life` is closed, which the death of the run's process does too, and writes `report`:
    its process id on the first line, and at the end, as JSON, the worker's ``status`` as in `subprocess` and ``said``,
    the last line that it printed."""

    jobs: int
    answers: int
    life: int
    report: int


def guard_worker(given: Descriptors, work: Callable[[int, int], None], temporary: str) -> None:
    """Guard one worker, which calls `work(jobs, answers)`, to its end. Its private folder is made in `temporary`."""
    os.setsid()
    os.write(given.report, f"{os.getpid()}\n".encode())
    adopt_orphans()
    folder = tempfile.mkdtemp(prefix="benchbox-worker-", dir=temporary)
    guard = _Guard(given, work, folder)
    status = guard.wait(given.life)
    said = guard.last_line()
    end_descendants()
    shutil.rmtree(folder, ignore_errors=True)
    os.write(given.report, json.dumps({"status": status, "said": said}).encode() + b"\n")


class _Guard:
    """The worker as its guard sees it."""

    def __init__(self, given: Descriptors, work: Callable[[int, int], None], folder: str) -> None:
        self._printed, into = os.pipe()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._pid = os.fork()
        if self._pid == 0:
            os.dup2(into, 1)
            os.dup2(into, 2)
            for descriptor in (self._printed, into, given.life, given.report):
                os.close(descriptor)
            os.environ["TMPDIR"] = tempfile.tempdir = folder
            work(given.jobs, given.answers)
            os._exit(1)  # it never returns
        self._status: int | None = None
        self._woken, wake = os.pipe()
        for descriptor in (self._woken, wake, self._printed):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in _WOKEN_BY:  # none of them ends it: the life line is what counts
            signal.signal(number, lambda *_: None)
        self._said = b""
        for descriptor in (into, given.jobs, given.answers):
            os.close(descriptor)

    def wait(self, life: int) -> int | None:
        """Wait for the end of the worker or of the life line; the worker's status, None where it still lives."""
        watched = [life, self._woken, self._printed]
        while True:
            self._reap()
            if self._status is not None:
                return self._status
            ready = select.select(watched, [], [])[0]
            if self._printed in ready and not self._listen():
                watched.remove(self._printed)
            if self._woken in ready:
                os.read(self._woken, 4096)
            if life in ready:
                self._reap()
                return self._status

    def _reap(self) -> None:
        """Take note of the worker's end and of those of orphans."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == self._pid:
                    self._status = os.waitstatus_to_exitcode(ended[1])

    def _listen(self) -> bool:
        """Take in what was printed; False at its end."""
        try:
            data = os.read(self._printed, 1 << 16)
        except OSError:  # nothing there just now
            return True
        self._said = (self._said + data).rpartition(MARK)[2][-KEPT:]
        return bool(data)

    def last_line(self) -> str:
        """The last line that is not empty of what the worker printed."""
        for _ in range(64):  # what a pipe holds, and no more than that of a process that goes on printing
            before = self._said
            if not self._listen() or self._said == before:
                break
        lines = [line.strip() for line in self._said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else ""
