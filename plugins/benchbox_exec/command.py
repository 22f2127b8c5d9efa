"""Running one command without a shell: time limit, errors in one line, digests of what it is made of."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchbox.errors import CodecError


def run(arguments: Sequence[str], folder: Path | None, timeout: float) -> str:
    """Run to the end in `folder`; gives what it printed. Raises CodecError with the last line it wrote to stderr."""
    name = Path(arguments[0]).name
    try:
        process = subprocess.Popen(arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        raise CodecError(f"{name} cannot be started: {error.strerror}") from error
    with process:
        try:
            out, err = (text.decode(errors="replace") for text in process.communicate(timeout=timeout))
        except BaseException as error:
            _kill(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CodecError(f"{name} took longer than {timeout:g} s; raise `timeout` in its TOML") from error
            raise
    if process.returncode != 0:
        lines = [line.strip() for line in (err.strip() or out.strip()).splitlines()]
        end = (f"was ended by {signal.Signals(-process.returncode).name}" if process.returncode < 0
               else f"ended with status {process.returncode}")
        raise CodecError(f"{name} {end}" + (f": {lines[-1]}" if lines else ""))
    return out + err


def program(name: str) -> str | None:
    """The path that a command's first argument leads to, or None."""
    return shutil.which(name)


@functools.cache
def first_line(arguments: tuple[str, ...], stamp: str) -> str:
    """First line that is not empty of what a version command prints; `stamp` tells one state of it from the next."""
    printed = run(arguments, None, 60)
    return next((line.strip() for line in printed.splitlines() if line.strip()), "")


def digest(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    state = os.stat(path)
    return _digest(path, state.st_size, state.st_mtime_ns)


@functools.cache
def _digest(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and whatever it started: it leads a process group of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
