"""The entry point of the command line: prints every error as one line and sets the exit code."""

from __future__ import annotations

import errno
import fcntl
import gc
import io
import os
import sys

import click

from benchbox.cli import check, compare, data, encode, merge, new, report, run, show  # noqa: F401  (each adds its commands)
from benchbox.cli.group import commands
from benchbox.errors import BenchboxError, one_line

__all__ = ["commands", "main"]

_OBJECTS = 50_000
"""New objects after which Python looks for garbage in cycles, instead of its 700. Imports and rows make millions that
stay, and looking through them took a tenth of the time of a report."""


def main() -> None:
    """Run the command line. An error is one line, without a traceback unless --debug is among the arguments."""
    _open_streams()
    gc.set_threshold(_OBJECTS)  # how often older objects are looked at stays as it is
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        code = commands.main([a for a in arguments if a != "--debug"], prog_name="benchbox", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = 2
    except BrokenPipeError:  # `benchbox list codecs | head`
        _drop_output()
        code = 1
    except (KeyboardInterrupt, click.Abort):
        code = _fail("stopped", 130)
    except BenchboxError as error:
        if debug:
            raise
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        if debug:
            raise
        said = f"{error.filename or 'system'}: {error.strerror or error}{_remedy(error)}"
        code = _fail(said if _has_folder() else "the current folder is gone; change to one that exists", 1)
        _drop_output()
    except Exception as error:  # a bug of benchbox itself
        if debug:
            raise
        code = _fail(f"unexpected {type(error).__name__}: {one_line(error)}; run again with --debug and report it", 1)
    sys.exit(code or 0)


def _open_streams() -> None:
    """Open standard streams that were closed (``2>&-``), as some service managers do: else the next file that is opened
    takes the place of one, and whatever prints ends the run. One that cannot be written, since a shell opened a script
    as it, is replaced too."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if not _is_open(descriptor, os.O_WRONLY if mode == "r" else os.O_RDONLY):
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:  # it takes the lowest free number, which is this one if it was closed
                os.dup2(null, descriptor)
                os.close(null)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", errors="backslashreplace", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names that are not UTF-8, or that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")


def _is_open(descriptor: int, refused: int) -> bool:
    """True if the descriptor is open and its mode is not `refused`."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != refused
    except OSError:
        return False


def _drop_output() -> None:
    """Print no more: what is still held back could not be written when the process ends, either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _has_folder() -> bool:
    """True while the current folder, where relative paths start, exists."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "; make room, or set TMPDIR to a folder on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "; check its permissions, or choose another place"
    return ""


def _fail(message: str, code: int) -> int:
    click.echo(f"benchbox: {' '.join(message.split())}", err=True)
    return code
