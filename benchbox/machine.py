"""This machine: processor, memory, GPUs, system and library versions, and the load that other processes put on it."""

from __future__ import annotations

import os
import platform
import resource
import socket
import subprocess
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_LIBRARIES = ("benchbox", "numpy", "pillow", "imagecodecs", "scikit-image", "numba", "pandas", "torch")


def host() -> str:
    """Name of this machine; times are never compared across machines."""
    return socket.gethostname()


def describe() -> dict[str, Any]:
    """Processor, cores, governor, memory, GPUs, OS, Python and library versions; JSON values."""
    return {
        "host": host(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "governor": _first_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "libraries": _versions(_LIBRARIES),
    }


SHORTEST_LOOK = 0.1
"""Shortest time in seconds over which other processes are watched, as the system counts in hundredths of a second."""


class Others:
    """Counts the processor time that other processes use after this object is created."""

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def cores(self) -> float:
        """Average number of cores that other processes kept busy, over at least `SHORTEST_LOOK` seconds."""
        time.sleep(max(0.0, SHORTEST_LOOK - (time.perf_counter() - self._start)))
        wall = time.perf_counter() - self._start
        busy = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, busy - 0.01) / wall


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
                 - getattr(times, "guest_nice", 0.0))  # fmt: skip


def _own_seconds() -> float:
    return time.process_time() + children_seconds()


def children_seconds() -> float:
    """Processor seconds of all child processes of this one, with theirs: of those that ended and, on Linux, of those
    that still run. The sum goes on when a child ends."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(_seconds_of(pid) for pid in _children())


def children_peak() -> int:
    """Bytes: the sum of the peak resident memory of the child processes that run now, with theirs (Linux; else 0)."""
    return sum(_peak(Path(f"/proc/{pid}/status")) or 0 for pid in _children())


def _children(process: str = "self") -> list[int]:
    """Process ids of the running descendants of `process`; those that end meanwhile may be left out."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            found += map(int, Path(f"/proc/{process}/task/{task}/children").read_text().split())
    except OSError:  # not Linux, or the process has ended
        return found
    return found + [below for pid in found for below in _children(str(pid))]


def _seconds_of(pid: int) -> float:
    """User and system seconds of a process and of its children that ended, proc(5); 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def forget_peak() -> None:
    """Reset the peak of `peak_memory` (Linux: proc(5), clear_refs 5).

    Where the system forbids that, the peak stays that of the whole life of the process.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes, since `forget_peak`; None where the system does not tell."""
    return _peak(Path("/proc/self/status"))


def _peak(status: Path) -> int | None:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def gpus() -> list[str]:
    """Name and driver of each NVIDIA GPU; empty where there is none."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text().splitlines()[0]
    except (OSError, IndexError):
        return None


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
