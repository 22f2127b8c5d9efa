"""What a plugin may change for everything else in its process: the working folder, the locale, what is printed ..."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchbox.errors import one_line

PRINTED = (1, 2)
"""The file descriptors of standard output and standard error, which are files in a process that tries a plugin."""

_QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Warnings that Python does not show by default."""


def state() -> dict[str, str]:
    """The state of this process that plugins share, by name."""
    mask = os.umask(0o077)
    os.umask(mask)
    handlers = {f"the handler of {signal.Signals(number).name}": repr(signal.getsignal(number))
                for number in signal.valid_signals() if number in set(signal.Signals)}  # fmt: skip
    variables = {f"the environment variable {name}": value for name, value in os.environ.items()}
    return {
        "the working folder": _folder(),
        "the mode of new files (umask)": oct(mask),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the state of the generator in `random`": _digest(random.getstate()),
        "the state of numpy's global random generator": _digest(np.random.get_state()),
        "numpy's handling of floating-point errors": str(np.geterr()),
        "the recursion limit": str(sys.getrecursionlimit()),
        "whether garbage is collected": str(gc.isenabled()),
        "sys.stdout": str(id(sys.stdout)),
        "sys.stderr": str(id(sys.stderr)),
        **handlers,
        **variables,
        **_torch(),
    }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The differences, each as ``"changed the working folder to '/'"``."""
    found = []
    for name in sorted({*before, *after}, key=[*before, *after].index):
        old, new = before.get(name), after.get(name)
        if old != new and not (name.startswith("torch") and old is None):
            told = "" if new is None or name.startswith(("the state", "sys.", "the handler")) else f" to {new!r}"
            found.append(one_line(f"{'removed' if new is None else 'changed'} {name}{told}", 200))
    return found


@contextmanager
def watched(into: list[str]) -> Iterator[None]:
    """Add to `into` what the code inside changed, printed and warned."""
    before, printed = state(), _printed()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    into += changes(before, state())
    for descriptor, name in zip(PRINTED, ("output", "error"), strict=True):
        size = _printed()[descriptor]
        if size > printed[descriptor]:
            text = os.pread(descriptor, 200, printed[descriptor]).decode(errors="replace")
            into.append(f"printed {one_line(text, 60)!r} to standard {name}")
    into += [one_line(f"warned {w.category.__name__}: {w.message}", 200) for w in caught
             if not issubclass(w.category, _QUIET)]  # fmt: skip


@contextmanager
def kept() -> Iterator[None]:
    """Put back at the end what the code inside changed, as far as that can be done."""
    folder, variables = os.getcwd(), dict(os.environ)
    mask, errors, language = os.umask(0o022), np.geterr(), locale.setlocale(locale.LC_ALL)
    os.umask(mask)
    seeds = random.getstate(), np.random.get_state()
    handlers = [(number, signal.getsignal(number)) for number in signal.valid_signals()]
    try:
        yield
    finally:
        os.umask(mask)
        os.chdir(folder)
        if variables != os.environ:
            os.environ.clear()
            os.environ.update(variables)
        np.seterr(**errors)
        locale.setlocale(locale.LC_ALL, language)
        random.setstate(seeds[0])
        np.random.set_state(seeds[1])
        for number, handler in handlers:
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _printed() -> dict[int, int]:
    """The lengths of all that was printed so far."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ctypes.CDLL(None).fflush(None)
    return {descriptor: os.fstat(descriptor).st_size for descriptor in PRINTED}


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "(deleted)"


def _torch() -> dict[str, str]:
    torch: Any = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_rng_state"):
        return {}
    return {
        "torch's random state": _digest(torch.get_rng_state().numpy().tobytes()),
        "torch's default dtype": str(torch.get_default_dtype()),
        "torch's recording of gradients": str(torch.is_grad_enabled()),
    }


def _digest(value: object) -> str:
    data = value if isinstance(value, bytes) else repr(value).encode()
    return hashlib.sha256(data).hexdigest()
