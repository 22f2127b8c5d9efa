"""Metrics that a program computes: runs it on files in a private folder, and says which build of it there is."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchbox.errors import BenchboxError

TIMEOUT = 600.0
"""Seconds for one picture."""


def run(metric: str, arguments: Sequence[str], folder: Path) -> str:
    """Standard output of a program that ran in `folder`; raises BenchboxError with the last line of its complaint."""
    name = Path(arguments[0]).name
    try:
        done = subprocess.run(arguments, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT,
                              check=False)  # fmt: skip
    except OSError as error:
        raise BenchboxError(f"{metric}: {name} cannot be started: {error.strerror}; install it anew") from error
    except subprocess.TimeoutExpired as error:
        raise BenchboxError(f"{metric}: {name} took longer than {TIMEOUT:g} s; leave this metric out") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = f": {lines[-1]}" if lines else ""
        raise BenchboxError(f"{metric}: {name} ended with status {done.returncode}{reason}")
    return done.stdout.decode(errors="replace")


def digest(path: str) -> str:
    """First 16 hex digits of the SHA-256 of a program: two builds may give two values."""
    status = Path(path).stat()
    return _digest(path, status.st_mtime_ns, status.st_size)


@functools.cache
def _digest(path: str, _changed: int, _size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
