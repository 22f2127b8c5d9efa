"""The fork server as the run's process sees it: started early, asked for workers, replaced when it has ended."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Self

from benchbox import trace
from benchbox.errors import BenchboxError

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from benchbox.execution.forking import main; main()"

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

THREADS = 1
"""Threads that numeric libraries may use in a worker."""


class ForkServer:
    """A process that loads libraries, plugins and metrics once and forks workers; a context manager, which ends it.

    It is started by `start`, or by the first `launch`. One that ends is replaced by one that loads only libraries, so
    that a plugin that cannot be loaded there, or a metric that ends or stops the process, is met by a worker, whose
    end is told and blamed as usual.
    """

    def __init__(self) -> None:
        self._current: _Process | None = None
        self._loads_plugins = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, if it is not running, so that it loads while the caller does something else.

        Raises:
            BenchboxError: the system starts no more processes.
        """
        if self._current is not None and self._current.ended():
            self.close()
            self._loads_plugins = False
        if self._current is None:
            self._current = _Process(self._loads_plugins)

    def prepare(self, metrics: Sequence[str]) -> None:
        """Have it open `metrics`, by id, before the first worker is asked for; nothing if it was not started."""
        if self._current is not None:
            self._current.send(json.dumps({"metrics": list(metrics)}).encode(), ())

    def launch(self, settings: Mapping[str, Any], descriptors: Sequence[int]) -> bool:
        """Ask for a worker with the `settings` of `benchbox.execution.server.serve`, which JSON can hold, and the file
        descriptors of `benchbox.execution.guard_process.Descriptors`. If no worker comes, they are closed.

        Returns:
            Whether plugins and metrics are loaded before the worker is there.
        """
        self.start()
        assert self._current is not None
        self._current.send(json.dumps(dict(settings)).encode(), descriptors)
        return self._loads_plugins

    def kill(self) -> None:
        """End it at once, since it does not answer. Workers that it has started live on."""
        if self._current is not None:
            self._current.kill()

    def ending(self) -> tuple[int | None, str]:
        """(exit status, last line that it printed) if it has ended; (None, "") if it has not."""
        if self._current is None or not self._current.ended(wait=1.0):
            return None, ""
        return self._current.ending()

    def close(self) -> None:
        """End it, if it runs."""
        if self._current is not None:
            self._current.close()
            self._current = None


class _Process:
    def __init__(self, loads_plugins: bool) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        command = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path), str(theirs.fileno()),
                   "plugins" if loads_plugins else "libraries"]  # fmt: skip
        try:
            with _thread_environment(), trace.handed_on() as (numbers, variables):
                self._process = subprocess.Popen(
                    command, pass_fds=(theirs.fileno(), *numbers), stdin=subprocess.DEVNULL, stdout=self._output,
                    stderr=self._output, start_new_session=True,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
                )  # fmt: skip
        except OSError as error:
            self._control.close()
            self._output.close()
            raise BenchboxError(f"no worker process can be started: {error.strerror}; use fewer --workers") from error
        finally:
            theirs.close()

    def send(self, order: bytes, descriptors: Sequence[int]) -> None:
        with contextlib.suppress(OSError):  # it has just ended: the descriptors are closed, which tells
            socket.send_fds(self._control, [order], descriptors)

    def ended(self, wait: float = 0.0) -> bool:
        """Whether it has ended, now or within `wait` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait)
        return self._process.returncode is not None

    def ending(self) -> tuple[int | None, str]:
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - 4096))
        lines = self._output.read().decode(errors="replace").split("\n")
        return self._process.returncode, next((line.strip() for line in reversed(lines) if line.strip()), "")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._control.close()
        self._process.terminate()
        if not self.ended(wait=1.0):  # a plugin hangs in code that hears no signal
            self._process.kill()
            self._process.wait()
        self._output.close()


@contextlib.contextmanager
def _thread_environment() -> Iterator[None]:
    """Set the thread variables for processes started inside; numeric libraries read them once, when loaded."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update({name: str(THREADS) for name in _THREAD_VARIABLES})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
