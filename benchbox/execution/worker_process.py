"""A worker process as the run's process sees it: started, given jobs, killed, and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from benchbox.execution.guard_process import Descriptors
from benchbox.fork_server import ForkServer

READY, DONE, LEAVING = b"r", b".", b"x"
"""What a worker answers: once when it can take jobs, after each job, and after a job that is its last."""


@dataclass(frozen=True)
class Ending:
    """How a worker process ended: its exit status, minus the signal where it was killed by one, None if unknown; and
    the last line that it printed."""

    status: int | None
    said: str

    def __str__(self) -> str:
        how = f"exit status {self.status}"
        if self.status is None:
            how = "killed"
        elif self.status < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-self.status).name
        return how + (f"; it last printed: {self.said[:200]}" if self.said else "")


class WorkerProcess:
    """A process that the fork server makes, which runs jobs one after the other, and its guard.

    Args:
        server: makes it.
        settings: those of `benchbox.execution.server.serve`, and as `metrics` the ids of metrics that it will need.

    Attributes:
        answers: file descriptor that becomes readable when it has answered.
        report: file descriptor that becomes readable when it has ended.
        prepared: whether the fork server was to load plugins and metrics for it, which may have been its end.

    Raises:
        BenchboxError: the system starts no more processes.
    """

    def __init__(self, server: ForkServer, settings: Mapping[str, Any]) -> None:
        self._server = server
        jobs, self._jobs = os.pipe()
        self.answers, answers = os.pipe()
        life, self._life = os.pipe()
        self.report, report = os.pipe()
        os.set_blocking(self.answers, False)
        os.set_blocking(self.report, False)
        self._reported = b""
        self._ending: Ending | None = None
        given = Descriptors(jobs, answers, life, report)
        try:
            self.prepared = server.launch(settings, given)
        finally:
            for number in given:
                os.close(number)

    def give(self, spool: Path) -> None:
        """Have it run the job that `write_job` wrote for `spool`."""
        with contextlib.suppress(BrokenPipeError):  # it has just died, which `ending` will tell
            os.write(self._jobs, json.dumps(os.fspath(spool)).encode() + b"\n")

    def answered(self) -> bytes:
        """What it has answered since the last look: `READY`, `DONE`, `LEAVING`."""
        try:
            return os.read(self.answers, 64)
        except BlockingIOError:
            return b""

    def ending(self) -> Ending | None:
        """How it ended, once it and all that it started are gone; None until then."""
        if self._ending is None and self._has_ended():
            try:
                told = json.loads(self._reported.splitlines()[1])
                self._ending = Ending(told["status"], told["said"])
            except (ValueError, LookupError, TypeError):  # its guard, or the fork server before that, was killed
                self._ending = Ending(*(self._server.ending() if self.guard_pid is None else (None, "")))
        return self._ending

    def _has_ended(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.report, 1 << 16):
                self._reported += data
            return True
        return False

    def kill(self) -> None:
        """End it, and whatever it started, at once; `ending` tells when that is done."""
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
            if not self._has_ended() and self.guard_pid is None:  # the fork server hangs in a plugin
                self._server.kill()

    def close(self, seconds: float = 10) -> None:
        """End it, wait for that, and release what was held for it."""
        self.kill()
        end = time.monotonic() + seconds
        while self.ending() is None and time.monotonic() < end:
            wait([self.report], end - time.monotonic())
        if self._ending is None and self.guard_pid is not None:
            with contextlib.suppress(OSError):
                os.kill(self.guard_pid, signal.SIGKILL)
        for number in (self._jobs, self.answers, self.report):
            os.close(number)

    @property
    def guard_pid(self) -> int | None:
        """The process id of its guard, above which nothing that it started can get; None until it is known."""
        first, end, _ = self._reported.partition(b"\n")
        return int(first) if end else None
