"""Calls into plugins while a point is measured: whatever they do to end this process or to change it for others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from benchbox.errors import BenchboxError, PluginError, StoreError
from benchbox.trace import traced

T = TypeVar("T")


def call(what: str, function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, a plugin's; `what` names it in the error.

    An Exception passes. What is meant to end the process (sys.exit, KeyboardInterrupt, BaseException) or the run
    (StoreError) becomes a PluginError, except a KeyboardInterrupt where Ctrl-C raises it, which is the user's. A
    process that the plugin forked and that returns from the call ends here.
    """
    pid = os.getpid()
    try:
        with _unchanged(), traced(function, what):
            return function(*arguments)
    except StoreError as error:
        raise PluginError(f"{what} raised StoreError({error})") from error
    except Exception:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            raise
        raise PluginError(f"{what} raised {type(error).__name__}"
                          f"{f'({error})' if str(error) else ''}; raise an Exception instead") from None
    finally:
        if os.getpid() != pid:
            os._exit(0)


@contextmanager
def _unchanged() -> Iterator[None]:
    """Put back what plugins share and one of them may have changed: the working folder, environment variables (those
    it added stay), the mode of new files and the handling of signals."""
    folder, variables = os.getcwd(), dict(os.environ)
    mask = os.umask(0o077)
    os.umask(mask)
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        os.umask(mask)
        with suppress(OSError):
            os.chdir(folder)
        if any(os.environ.get(name) != value for name, value in variables.items()):
            os.environ.update(variables)
        with suppress(ValueError):  # signals are set in the main thread only
            for number, handler in handlers:
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


def reason_of(error: BaseException) -> str:
    """What an error says, in one line of 500 characters at most."""
    text = str(error) if isinstance(error, BenchboxError) else f"{type(error).__name__}: {error}"
    return " ".join(text[:10_000].split())[:500]
