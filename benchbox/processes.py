"""Starts one worker, waits for its end and clears up after it: run as a script of its own, with the standard library.

The run's process cannot do this itself: it may be killed, and processes that a codec detached are not its children.
The guard is the one to whom the system hands every orphan below it (Linux: prctl(2), PR_SET_CHILD_SUBREAPER), so that
nothing that a codec started outlives its worker. It keeps the end of what the worker prints, gives it a private folder
for temporary files and deletes that folder.

Arguments: the file descriptors of the jobs, of the answers and of the life line, then the worker's command. The guard
ends the worker when the other end of the life line is closed, which the death of the run's process does too. Its last
line of output is JSON: ``status`` as in `subprocess` and ``said``, the last line that the worker printed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MARK = b"\x1e"
"""A worker prints this before each point: what was printed before is forgotten."""

KEPT = 4096
"""Bytes kept of what a worker prints."""

SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Have the system make this process the parent of orphans below it, so that it can find and end them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(spared: frozenset[int] = frozenset()) -> list[int]:
    """Process ids of all processes below this one, except `spared` and those below them."""
    if not _has_children():  # most often, and far quicker than the system's process table
        return []
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = [pid for pid in children.get(waiting.pop(), ()) if pid not in spared]
        found += below
        waiting += below
    return found


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def end_descendants(spared: frozenset[int] = frozenset()) -> None:
    """Kill all processes below this one except `spared` and those below them, and wait for their ends."""
    for _ in range(100):
        pids = descendants(spared)
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
        for pid in pids:
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


class _Guard:
    """The worker as its guard sees it."""

    def __init__(self, jobs: int, answers: int, command: list[str], folder: str) -> None:
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the life line is what counts
            signal.signal(number, lambda *_: None)
        self._printed, into = os.pipe()
        os.set_blocking(self._printed, False)
        self._said = b""
        self._worker = subprocess.Popen(
            [*command, str(jobs), str(answers)], stdin=subprocess.DEVNULL, stdout=into, stderr=into,
            pass_fds=(jobs, answers), env={**os.environ, "TMPDIR": folder, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        for descriptor in (into, jobs, answers):
            os.close(descriptor)

    def wait(self, life: int) -> int | None:
        """Wait for the end of the worker or of the life line; the worker's status, None where it still lives."""
        watched = [life, self._woken, self._printed]
        while True:
            ready = select.select(watched, [], [])[0]
            if self._printed in ready and not self._listen():
                watched.remove(self._printed)
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap_orphans()
            if self._worker.poll() is not None or life in ready:
                return self._worker.returncode

    def _reap_orphans(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is not None and ended.si_pid != self._worker.pid:
                    os.waitpid(ended.si_pid, os.WNOHANG)
                    continue
            return

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


def main() -> None:
    """Guard one worker to its end."""
    adopt_orphans()
    jobs, answers, life = (int(argument) for argument in sys.argv[1:4])
    folder = tempfile.mkdtemp(prefix="benchbox-worker-")
    guard = _Guard(jobs, answers, sys.argv[4:], folder)
    status = guard.wait(life)
    said = guard.last_line()
    end_descendants()
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"status": status, "said": said}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
