"""Limits the time of a call in this process, so that no command waits for a plugin that never answers."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

T = TypeVar("T")

AGAIN = 5.0
"""Seconds after which code that caught an `OverdueError` and went on gets another one."""


class OverdueError(BaseException):
    """Raised in a call that takes too long: no Exception, which code that tries something again would take for the
    failure of one try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"did not end within {seconds:g} s")


def within(seconds: float, function: Callable[[], T]) -> T:
    """The value of `function`, which has so many seconds.

    In the main thread it is interrupted by SIGALRM: its Python code and its waiting, not a loop in another language. In
    any other thread it is called in a thread of its own, which is left behind if it does not end in time.

    Raises:
        OverdueError: it did not end in time.
    """
    if threading.current_thread() is threading.main_thread():
        with deadline(seconds):
            return function()
    return _elsewhere(seconds, function)


@contextmanager
def deadline(seconds: float) -> Iterator[Callable[[], None]]:
    """A block that raises OverdueError after so many seconds; calling what it yields begins them anew. It limits
    nothing outside the main thread, the only one that a signal can interrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def overdue(_number: int, _frame: object) -> NoReturn:
        raise OverdueError(seconds)

    handler = signal.signal(signal.SIGALRM, overdue)
    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield lambda: _begin_anew(seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody's own alarm, or the deadline of a block around this one
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - began)), interval)


def _begin_anew(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)


def _elsewhere(seconds: float, function: Callable[[], T]) -> T:
    values: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            values.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not values:
        raise OverdueError(seconds)
    return values[0]
