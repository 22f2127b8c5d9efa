"""A worker process as the run's process sees it: started, given jobs, killed, and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox import processes
from benchbox.errors import BenchboxError

READY, DONE, LEAVING = b"r", b".", b"x"
"""What a worker answers: once when it can take jobs, after each job, and after a job that is its last."""

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from benchbox.execution.server import main; main()"


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
    """A fresh interpreter that runs jobs one after the other, with a guard of its own (`benchbox.processes`).

    Args:
        settings: what `benchbox.execution.server.main` needs, as JSON values.

    Raises:
        BenchboxError: the system starts no more processes.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        jobs, self._jobs = os.pipe()
        self.answers, answers = os.pipe()
        life, self._life = os.pipe()
        os.set_blocking(self.answers, False)
        worker = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path), json.dumps(dict(settings))]
        numbers = (jobs, answers, life)
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", processes.__file__, *map(str, numbers), *worker], pass_fds=numbers,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise BenchboxError(f"no worker process can be started: {error.strerror}; use fewer --workers") from error
        finally:
            for number in numbers:
                os.close(number)
        assert self._guard.stdout is not None
        self.report = self._guard.stdout

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
        if self._guard.poll() is None:
            return None
        printed = self.report.read().decode(errors="replace").strip().splitlines()
        try:
            told = json.loads(printed[-1])
            return Ending(told["status"], told["said"])
        except (ValueError, LookupError, TypeError):  # the guard itself was killed, or could not start
            return Ending(None, printed[-1] if printed else "")

    def kill(self) -> None:
        """End it, and whatever it started, at once; `ending` tells when that is done."""
        if self._life >= 0:
            os.close(self._life)
            self._life = -1

    def close(self, seconds: float = 10) -> None:
        """End it, wait for that, and release what was held for it."""
        self.kill()
        try:
            self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self.report.close()
        for number in (self._jobs, self.answers):
            os.close(number)

    @property
    def guard_pid(self) -> int:
        """The process id of its guard, above which nothing that it started can get."""
        return self._guard.pid
