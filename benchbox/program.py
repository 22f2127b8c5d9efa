"""Runs one command without a shell: on bytes or on files in a folder, with a time limit, with errors of one line.

Every command leads a process group of its own. Where it is not waited for to its end (time limit, Ctrl-C, any other
exception), the whole group is killed, so that nothing that it started outlives it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.errors import BenchboxError


@dataclass(frozen=True)
class Limit:
    """The time that a command may take, in seconds, and the remedy that the error names where it takes longer."""

    seconds: float
    remedy: str


@dataclass(frozen=True)
class Finished:
    """The output of a command that ended with status 0; bytes that are not UTF-8 are replaced in the two texts.

    Attributes:
        stdout, stderr: what it printed.
        piped: what it wrote into the pipe that `run_with_pipe` gave it; else empty.
    """

    stdout: str
    stderr: str
    piped: bytes = b""


def run(arguments: Sequence[str], *, folder: Path | None = None, data: bytes = b"",
        limit: Limit | None = None) -> Finished:
    """Run `arguments` (the program first) to its end.

    Args:
        folder: its working directory; by default this process's own.
        data: its standard input.

    Raises:
        BenchboxError: it cannot be started, took too long, or ended by a signal or with a status other than 0. The
            message begins with the program's name and ends with the last line of its standard error.
    """
    process = _start(arguments, cwd=folder, stdout=subprocess.PIPE)
    out, err = _wait(process, arguments, data, limit)
    return Finished(out, err)


def run_with_pipe(arguments: Callable[[int], Sequence[str]], data: bytes, limit: Limit | None = None) -> Finished:
    """Run a command that writes its result into a pipe of its own, since it prints other things on standard output.

    Args:
        arguments: gives the command for the number of the file descriptor that it is to write to.
        data: its standard input.

    Raises:
        BenchboxError: as `run` does.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        try:
            command = arguments(writing)
            process = _start(command, stdout=subprocess.DEVNULL, pass_fds=(writing,))
        finally:
            os.close(writing)
        piped: list[bytes] = []
        reader = threading.Thread(target=lambda: piped.append(pipe.read()), daemon=True)
        reader.start()
        try:
            _, err = _wait(process, command, data, limit)
        finally:
            reader.join()  # ends with the process group, which holds the other end of the pipe
    return Finished("", err, piped[0])


@functools.cache
def first_line(arguments: tuple[str, ...], stamp: str) -> str:
    """The first line that is not empty of what a version command prints, kept for each `stamp`: a text that changes
    whenever the program does, such as its digest. Raises BenchboxError as `run` does, also after 60 seconds."""
    done = run(arguments, limit=Limit(60, "name a command that prints its version and ends"))
    printed = (done.stdout + done.stderr).splitlines()
    return next((line.strip() for line in printed if line.strip()), "")


def digest(path: str | Path) -> str:
    """The SHA-256 of a file in hexadecimal; computed again only where its size or modification time has changed."""
    state = os.stat(path)
    return _digest(str(path), state.st_size, state.st_mtime_ns)


@functools.cache
def _digest(path: str, _size: int, _modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _start(arguments: Sequence[str], **settings: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                **settings)
    except OSError as error:
        raise BenchboxError(f"{_name(arguments)} cannot be started: {error.strerror}; install it again") from error


def _wait(process: subprocess.Popen[bytes], arguments: Sequence[str], data: bytes,
          limit: Limit | None) -> tuple[str, str]:
    """Standard output and standard error of the process when it has ended with status 0."""
    name = _name(arguments)
    with process:
        try:
            printed = process.communicate(data, timeout=limit.seconds if limit else None)
        except BaseException as error:
            _kill(process)
            if isinstance(error, subprocess.TimeoutExpired) and limit is not None:
                raise BenchboxError(f"{name} took longer than {limit.seconds:g} s; {limit.remedy}") from error
            raise
    out, err = ((text or b"").decode(errors="replace") for text in printed)
    if process.returncode != 0:
        lines = (err.strip() or out.strip()).splitlines()
        reason = f": {lines[-1].strip()}" if lines else ""
        raise BenchboxError(f"{name} {_ending(process.returncode)}{reason}")
    return out, err


def _ending(returncode: int) -> str:
    if returncode > 0:
        return f"ended with status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:  # most real-time signals have no name
        return f"was ended by signal {-returncode}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.wait()  # after Ctrl-C, `with process` would not


def _name(arguments: Sequence[str]) -> str:
    return Path(arguments[0]).name
