"""This machine: processor, memory, GPUs, system and library versions, how much of it this process may use, and the load
that other processes put on it."""

from __future__ import annotations

import math
import os
import platform
import resource
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

_LIBRARIES = ("benchbox", "numpy", "pillow", "imagecodecs", "scikit-image", "numba", "pandas", "torch")


def host() -> str:
    """Name of this machine; times are never compared across machines."""
    return socket.gethostname()


def describe() -> dict[str, Any]:
    """Processor, cores, governor, memory, GPUs, OS, Python and library versions; JSON values."""
    return {
        "host": host(),
        "cpu": _cpu_model(),
        "cores": cores(),
        "governor": _first_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "memory_gib": round(memory() / 2**30, 1),
        "gpus": gpus(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "libraries": _versions(_LIBRARIES),
    }


def cores(system: Path = Path("/")) -> int:
    """Processor cores that this process may use: those of its affinity, at most the quota of its control groups.

    Args:
        system: the root of the file system, where ``proc`` and ``sys/fs/cgroup`` are.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # no Linux
        allowed = os.cpu_count() or 1
    quotas = [quota for folder in _groups("cpu", system) if (quota := _quota(folder)) is not None]
    return max(1, math.ceil(min([allowed, *quotas])))


def memory(system: Path = Path("/")) -> int:
    """Bytes of memory that this process may use: the machine's, at most the limit of its control groups."""
    import psutil  # takes a while, and listing plugins needs none of it

    names = ("memory.max", "memory.limit_in_bytes")  # versions 2 and 1; "max" and a number near 2^63 are no limit
    limits = [int(line) for folder in _groups("memory", system) for name in names
              if (line := _first_line(folder / name) or "").isdecimal()]  # fmt: skip
    return min([int(psutil.virtual_memory().total), *limits])


def oom_kills(system: Path = Path("/")) -> int:
    """How many processes the kernel has ended for want of memory, in this process's control group where that counts
    them, else on the whole machine. Where the number rose while a process died by SIGKILL, memory is the reason."""
    folder = next(_groups("memory", system), None)
    files = [folder / name for name in ("memory.events", "memory.oom_control")] if folder is not None else []
    for file in [*files, system / "proc/vmstat"]:
        try:
            counts = dict(line.split()[:2] for line in file.read_text(encoding="ascii").splitlines())
            return int(counts["oom_kill"])
        except (OSError, ValueError, KeyError):
            continue
    return 0


def _groups(controller: str, system: Path) -> Iterator[Path]:
    """The folders of this process's control groups of a controller, the innermost first (cgroups(7))."""
    for line in _lines(system / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        top = system / "sys/fs/cgroup"
        if number == "0":
            top = top / "unified" if (top / "unified").is_dir() else top
        elif controller in controllers.split(","):
            top = next((top / name for name in (controllers, controller) if (top / name).is_dir()), top / controller)
        else:
            continue
        inner = top / path.strip("/")
        inner = inner if inner.is_dir() else top  # a container sees its own group as the top, under the path outside
        yield inner
        yield from (folder for folder in inner.parents if folder == top or top in folder.parents)


def _quota(folder: Path) -> float | None:
    """Cores that a control group may keep busy; None without a limit."""
    words = (_first_line(folder / "cpu.max") or "").split()
    if not words:
        words = [_first_line(folder / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
        return int(words[0]) / int(words[1])
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def provide_numba_cache() -> None:
    """Give numba a private folder for compiled code where the user's cache folder cannot be written (there is no home
    folder, or it is read-only): plugins whose functions numba is to keep could not be imported. Call it before them."""
    home = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if "NUMBA_CACHE_DIR" in os.environ or (not home.startswith("~") and _writable(Path(home, "numba"))):
        return
    folder = Path(tempfile.gettempdir(), f"benchbox-numba-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o022:
            folder = Path(tempfile.mkdtemp(prefix="benchbox-numba-"))  # another user made it and could plant code
    except OSError:
        return
    os.environ["NUMBA_CACHE_DIR"] = str(folder)


def _writable(folder: Path) -> bool:
    """Whether a folder, made if it is not there, can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


SHORTEST_LOOK = 0.1
"""Shortest time in seconds over which other processes are watched, as the system counts in hundredths of a second."""


class Others:
    """Counts the processor time that other processes use after this object is created."""

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    @property
    def enough(self) -> bool:
        """Whether `cores` can be told without waiting."""
        return time.perf_counter() - self._start >= SHORTEST_LOOK

    def cores(self) -> float:
        """Average number of cores that other processes kept busy, over at least `SHORTEST_LOOK` seconds."""
        time.sleep(max(0.0, SHORTEST_LOOK - (time.perf_counter() - self._start)))
        wall = time.perf_counter() - self._start
        busy = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, busy - 0.01) / wall


def _busy_seconds() -> float:
    import psutil

    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
                 - getattr(times, "guest_nice", 0.0))  # fmt: skip


def _own_seconds() -> float:
    return time.process_time() + children_seconds()


def children_seconds() -> float:
    """Processor seconds of all child processes of this one, with theirs: of those that ended and, on Linux, of those
    that still run. The sum goes on when a child ends."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        if hasattr(os, "waitid"):  # macOS lacks it; it tells at once that there is no child, as most often
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ended.ru_utime + ended.ru_stime
    return ended.ru_utime + ended.ru_stime + sum(_seconds_of(pid) for pid in _children())


def children_peak() -> int:
    """Bytes: the sum of the peak resident memory of the child processes that run now, with theirs (Linux; else 0)."""
    return sum(_peak(Path(f"/proc/{pid}/status")) or 0 for pid in _children())


def _children(process: str = "self") -> list[int]:
    """Process ids of the running descendants of `process`; those that end meanwhile may be left out."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
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
