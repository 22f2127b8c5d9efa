"""``BENCHBOX_TRACE=1``: each call into a plugin is a line on standard error, with its time, from workers too."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

VARIABLE = "BENCHBOX_TRACE"
"""Environment variable that asks for the trace, unless it is empty or 0."""

DESCRIPTOR = "BENCHBOX_TRACE_FD"
"""Environment variable of the fork server and its workers: the file descriptor of the run's standard error, since what
they print themselves is kept for messages about their end."""


def is_asked() -> bool:
    """Whether calls into plugins are to be traced."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


@contextlib.contextmanager
def traced(function: Callable[..., Any], owner: str = "") -> Iterator[None]:
    """The block calls `function`, a plugin's; `owner` names its object, or the object and the method where `function`
    is one of benchbox's own that calls it."""
    if not is_asked():
        yield
        return
    start, outcome = time.perf_counter(), ""
    try:
        yield
    except BaseException as error:
        outcome = f" raised {type(error).__name__}"
        raise
    finally:
        line = f"{(time.perf_counter() - start) * 1e3:10.3f} ms  {_named(function, owner)}{outcome}  [{os.getpid()}]\n"
        with contextlib.suppress(OSError, ValueError):  # whoever listened is gone, or a plugin closed it
            os.write(int(os.environ.get(DESCRIPTOR, "2")), line.encode(errors="backslashreplace"))


def _named(function: Callable[..., Any], owner: str) -> str:
    """``"toy (plugin mycodec): axis"``."""
    it = getattr(function, "__self__", None)
    kind = function if it is None else type(it)
    plugin = str(getattr(kind, "__module__", "")).partition(".")[0]
    if plugin in ("", "benchbox", "builtins"):
        return owner or str(getattr(function, "__name__", "a function"))
    name = owner or ("" if it is None else str(getattr(it, "id", "") or type(it).__name__))
    return f"{name} (plugin {plugin}): {getattr(function, '__name__', 'a function')}".lstrip()


@contextlib.contextmanager
def handed_on() -> Iterator[tuple[tuple[int, ...], dict[str, str]]]:
    """(file descriptors to pass, environment variables) for a process that is started in this block and writes its
    trace to this one's standard error; none if no trace is asked for."""
    if not is_asked():
        yield (), {}
        return
    try:
        copy = os.dup(int(os.environ.get(DESCRIPTOR, "2")))
    except (OSError, ValueError):
        yield (), {}
        return
    try:
        yield (copy,), {DESCRIPTOR: str(copy)}
    finally:
        os.close(copy)
