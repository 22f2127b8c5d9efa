"""Shared by the benchmarks: waiting for a quiet machine, and timing a command with the load of other processes.

`wait_until_quiet` waits before a run; `timed_run` reports afterwards how much processor time other processes took
meanwhile, which a reader needs to judge a figure.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

QUIET = 0.10
"""Share of all processors that may be busy before a run counts as disturbed from the start."""


@dataclass(frozen=True)
class Run:
    """One timed command.

    Attributes:
        start: wall-clock time of its start (seconds since 1970).
        wall: seconds from start to end.
        cpu: processor seconds of the command and its children.
        others: share of the machine (0 .. 1) that other processes took meanwhile.
        peak: bytes: the greatest resident memory of one of its processes.
    """

    start: float
    wall: float
    cpu: float
    others: float
    peak: int = 0


def machine() -> str:
    """Processor, cores and date in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor")
    return f"{model}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}"


def wait_until_quiet(seconds: float) -> float:
    """Wait at most `seconds` until at most `QUIET` of the machine is busy; returns the last busy share measured."""
    end = time.monotonic() + seconds
    while True:
        busy = float(psutil.cpu_percent(interval=1.5)) / 100
        if busy <= QUIET or time.monotonic() >= end:
            return busy


def timed_run(command: Sequence[str], output: Path, environment: Mapping[str, str]) -> Run:
    """Run a command to its end, with its standard output in the file `output`.

    Raises:
        SystemExit: the command failed; the message ends with its last error output.
    """
    errors = output.with_suffix(".err")
    busy = _busy()
    with output.open("wb") as out, errors.open("wb") as err:
        start, clock = time.time(), time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=dict(environment))
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - clock
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}: {errors.read_text()[-2000:]}")
    cpu = used.ru_utime + used.ru_stime
    others = (_busy() - busy - cpu) / (wall * (os.cpu_count() or 1))
    return Run(start, wall, cpu, min(1.0, max(0.0, others)), used.ru_maxrss << 10)


def _busy() -> float:
    """Processor seconds spent by all processes (and taken by other virtual machines) since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
