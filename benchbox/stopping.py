"""Who stopped a call into a plugin: the user, by Ctrl-C or a signal, or the plugin, which raised KeyboardInterrupt."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class StoppedByUser(KeyboardInterrupt):
    """Raised where Ctrl-C, or a signal that ends a run as Ctrl-C does, reached this process."""


@contextmanager
def ctrl_c_told_apart() -> Iterator[None]:
    """Inside it Ctrl-C raises StoppedByUser, so that a plain KeyboardInterrupt is one that the block raised itself.

    Signals reach Python's main thread only, so that in any other thread nothing has to be done. A handler of somebody
    else may raise a plain KeyboardInterrupt of its own: what leaves the block is then taken for the user's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    ours = handler is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _stopped)
    try:
        yield
    except StoppedByUser:
        raise
    except KeyboardInterrupt as error:
        if ours or handler in (signal.SIG_IGN, signal.SIG_DFL, _stopped):
            raise
        raise StoppedByUser(*error.args) from error
    finally:
        if ours:
            signal.signal(signal.SIGINT, handler)


def _stopped(_number: int, _frame: object) -> NoReturn:
    raise StoppedByUser
