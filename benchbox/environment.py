"""Where and with what a run was made: processor, memory, system, versions."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from benchbox.registry import Registry

_LIBRARIES = ("benchbox", "numpy", "pillow", "imagecodecs", "scikit-image", "numba", "pandas", "torch")


def host() -> str:
    """Name of this machine, which times are never compared across."""
    return socket.gethostname()


def describe(registry: Registry) -> dict[str, Any]:
    """Processor, cores, governor, memory, GPU, OS, Python, versions of libraries and plugins; JSON values."""
    return {
        "host": host(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "governor": _first_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": _gpus(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "libraries": _versions(_LIBRARIES),
        "plugins": {p.name: f"{p.distribution} {p.version}" for p in registry.plugins if p.failure is None},
    }


def device_for(name: str, accepted: Iterable[str]) -> str:
    """The device that `name` means to something that takes the device classes `accepted`: ``"auto"`` is CUDA where an
    NVIDIA GPU answers and CUDA is among them, else the CPU; any other name is itself."""
    if name != "auto":
        return name
    return "cuda" if "cuda" in accepted and _gpus() else "cpu"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _gpus() -> list[str]:
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
