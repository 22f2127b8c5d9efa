"""A dask cluster of processes, each worker on a machine of its own if it is to be, as far as the system can make one:
a host name, a process table and mounts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from waiting import until

ALONE = ["unshare", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]


class Machines:
    """Starts and kills the parts of a cluster; each writes its log into `folder`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def scheduler(self) -> subprocess.Popen[bytes]:
        """The scheduler, which listens."""
        started = self._start("scheduler", [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1",
                                            "--port", str(self.port), "--no-dashboard"])  # fmt: skip
        until(self._listens, "the scheduler")
        return started

    def worker(self, name: str, mounts: str = ":") -> subprocess.Popen[bytes]:
        """A worker on a machine called `name`, after the shell commands `mounts`."""
        worker = " ".join(self._worker(name))
        return self._start(name, [*ALONE, "sh", "-c", f"hostname {name} && {mounts} && exec {worker}"])

    def worker_here(self, name: str) -> subprocess.Popen[bytes]:
        """A worker on this machine, where its processes are seen."""
        return self._start(name, self._worker(name))

    def _worker(self, name: str) -> list[str]:
        return [sys.executable, "-m", "dask", "worker", self.address, "--nthreads", "1", "--no-dashboard",
                "--name", name]  # fmt: skip

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        self._stack.callback(kill, started)
        return started


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, as a machine that goes down does."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


@contextmanager
def running(machines: Machines, plan_file: Path) -> Iterator[subprocess.Popen[str]]:
    """``benchbox run --dask`` at work; what it says is in client.log."""
    command = [sys.executable, "-m", "benchbox", "run", str(plan_file), "--dask", machines.address, "--workspace",
               str(machines.folder / "far"), "--no-report"]  # fmt: skip
    with (machines.folder / "client.log").open("w") as log:
        client = subprocess.Popen(command, stdout=log, stderr=log, text=True)
    try:
        yield client
    finally:
        client.kill()
        client.wait()
