"""Signals that end a run in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from benchbox.stopping import StoppedByUser


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """Inside it SIGTERM (a job scheduler) and SIGHUP (a closed terminal) raise StoppedByUser, unless the process
    ignores them (nohup) or handles them itself. Only Python's main thread can arrange for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in taken:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, _frame: object) -> NoReturn:
    raise StoppedByUser(signal.Signals(number).name)
