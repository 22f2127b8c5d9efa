"""Calls into plugins while a point is measured: whatever they do to end this process or to change it for others."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import numpy as np

from benchbox.errors import BenchboxError, PluginError, StoreError, one_line
from benchbox.guard import blame, calling

T = TypeVar("T")

_SHARED = (("PIL.Image", "MAX_IMAGE_PIXELS"), ("PIL.ImageFile", "LOAD_TRUNCATED_IMAGES"))
"""(module, its variable): settings of a library that several plugins use, and that decide what it takes."""

_LIMITS = (("sys", "getrecursionlimit", "setrecursionlimit"), ("torch", "get_default_dtype", "set_default_dtype"))
"""(module, function that gives a setting, function that sets it), likewise."""


def call(owner: str, function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)` in a block `measuring`."""
    with measuring(owner, function):
        return function(*arguments)


@contextmanager
def measuring(owner: str, function: Callable[..., Any]) -> Iterator[None]:
    """A block that calls `function`, a plugin's, as `benchbox.guard.calling` has it; `owner` is the id of its object.

    What is meant to end the run (StoreError, and KeyboardInterrupt where Ctrl-C does not raise it) becomes a
    PluginError too. What the plugin changed of this process is put back. A process that the plugin forked and that
    returns from the call ends here.
    """
    pid = os.getpid()
    try:
        with _unchanged(), calling(function, owner):
            yield
    except (StoreError, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            raise
        raise PluginError(blame(function, error, owner)) from error
    finally:
        if os.getpid() != pid:
            os._exit(0)


@contextmanager
def _unchanged() -> Iterator[None]:
    """Put back what plugins share and one of them may have changed: the working folder, environment variables (those
    it added stay), the mode of new files, the handling of signals, what Pillow refuses, numpy's errors, how deep calls
    go and torch's type of numbers."""
    folder, variables = os.getcwd(), _variables().copy()
    mask = os.umask(0o077)
    os.umask(mask)
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    shared = [(sys.modules[name], setting) for name, setting in _SHARED if name in sys.modules]
    values = [getattr(module, setting) for module, setting in shared]
    limits = [(sys.modules[name], given, put) for name, given, put in _LIMITS if name in sys.modules]
    known = [getattr(module, given)() for module, given, _ in limits]
    try:
        with np.errstate():
            yield
    finally:
        for (module, given, put), value in zip(limits, known, strict=True):
            if getattr(module, given)() != value:
                getattr(module, put)(value)
        for (module, setting), value in zip(shared, values, strict=True):
            setattr(module, setting, value)
        os.umask(mask)
        with suppress(OSError):
            os.chdir(folder)
        if _variables() != variables:
            os.environb.update(variables)
        with suppress(ValueError):  # signals are set in the main thread only
            for number, handler in handlers:
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


def _variables() -> dict[bytes, bytes]:
    """The environment variables as os.environ keeps them. A look through its methods, which decode each one, takes as
    long as a quick metric."""
    kept: dict[bytes, bytes] = vars(os.environ)["_data"]
    return kept


def reason_of(error: BaseException) -> str:
    """What an error says, in one printable line of 500 characters at most."""
    return one_line(error if isinstance(error, BenchboxError) else f"{type(error).__name__}: {one_line(error)}")
