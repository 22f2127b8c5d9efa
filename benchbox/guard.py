"""Calls into plugins: whatever a third party's method raises becomes one line that names the plugin and the place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, ParamSpec, TypeVar

from benchbox import errors
from benchbox.deadline import OverdueError, within
from benchbox.errors import BenchboxError, PluginError, one_line
from benchbox.mistakes import lacking
from benchbox.place import place_of, place_of_error
from benchbox.stopping import StoppedByUser, ctrl_c_told_apart
from benchbox.trace import traced

P = ParamSpec("P")
T = TypeVar("T")


ANSWER_SECONDS = 60.0
"""The longest that a plugin may take to answer a question in the run's own process: its identity, what is missing."""

IMPORT_SECONDS = 120.0
"""The longest that its import may take there."""

WORK_SECONDS = 300.0
"""The longest that it may take there to list a data set, to read a picture or to write a report: as long as a point has
by default."""


def answered(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """As `guarded`, for a question, which the plugin has `ANSWER_SECONDS` to answer."""
    with calling(function), exit_forbidden(), folder_kept():
        return within(ANSWER_SECONDS, lambda: function(*arguments, **named))


def worked(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """As `guarded`, for work that has to be done within `WORK_SECONDS`."""
    with calling(function), exit_forbidden(), folder_kept():
        return within(WORK_SECONDS, lambda: function(*arguments, **named))


def guarded(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call a plugin's function or method. Raises what `calling` raises."""
    with calling(function):
        return function(*arguments, **named)


@contextmanager
def calling(function: Callable[..., Any], owner: str = "") -> Iterator[None]:
    """The block calls `function`, a plugin's; every call into a plugin is made in such a block. `owner` is the id of
    the function's object where the object does not know it, as an opened codec.

    Raises:
        BenchboxError: as the plugin raised it.
        PluginError: the plugin raised anything else, SystemExit and KeyboardInterrupt included; names the plugin, its
            object, the method, the error, and the file and line. Ctrl-C stays Ctrl-C.
    """
    try:
        with ctrl_c_told_apart(), traced(function, owner):
            yield
    except (BenchboxError, StoppedByUser):
        raise
    except BaseException as error:
        raise PluginError(blame(function, error, owner)) from error


def blame(function: Callable[..., Any], error: BaseException, owner: str = "") -> str:
    """``"acme (plugin acme_codec): axis raised ValueError: no axis (acme_codec.py:12)"``; of a plain function without
    the object, which is the plugin itself. `owner` names the object in place of its `id`."""
    who, module = _who(function, owner)
    lack = lacking(error)
    if lack is not None:
        return one_line(f"{who}{lack[0]}{place_of(lack[1])}")
    name, text = getattr(function, "__name__", "a function"), one_line(error)
    raised = f"raised {type(error).__name__}{f': {text}' if text else ''}"
    what = text if isinstance(error, OverdueError) else raised
    return one_line(f"{who}{name} {what}{place_of_error(error, module) or place_of(function)}")


def breach(method: Callable[..., Any], sentence: str, owner: str = "", at: Any = None) -> PluginError:
    """The error for what a plugin's `method` did and must not do: ``"acme (plugin acme_codec): sentence (acme.py:9)"``.
    `owner` is as in `calling`; the place is that of `at`, by default of the method."""
    return PluginError(one_line(f"{_who(method, owner)[0]}{sentence}{place_of(method if at is None else at)}"))


def _who(function: Callable[..., Any], owner: str) -> tuple[str, str]:
    """``"acme (plugin acme_codec): "``, or "" for a plain function, and the module of the function's class."""
    it = getattr(function, "__self__", None)
    kinds = [function] if it is None else type(it).__mro__
    modules = [str(getattr(kind, "__module__", "unknown")) for kind in kinds]
    module = next((name for name in modules if name != "abc"), "unknown")  # "abc": a class that was made by type()
    if it is None:
        return "", module
    return f"{owner or getattr(it, 'id', '') or type(it).__name__} (plugin {module.partition('.')[0]}): ", module


def import_fault(module: str, error: BaseException) -> str:
    """One line about what a plugin's `module` raised when it was imported: error, remedy, file and line."""
    text = one_line((str(error).splitlines() or [""])[0])
    package = module.partition(":")[0].partition(".")[0]
    if isinstance(error, BenchboxError):
        return text
    remedy = "mend it, or remove the plugin"
    if isinstance(error, OverdueError):
        return one_line(f"its import {text}; {remedy}{place_of_error(error, package)}")
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] == package:
        remedy = "its entry point names that module: correct it, and install the plugin again"
    elif isinstance(error, ModuleNotFoundError):
        remedy = "install it, or import it in `open`, so that only those who use the plugin need it"
    elif isinstance(error, ImportError) and any(f"'{name}'" in text for name in vars(errors)):
        remedy = "import it from benchbox.errors"
    elif isinstance(error, SystemExit):
        remedy = "an import must not end the program"
    return one_line(f"{type(error).__name__}{f': {text}' if text else ''}; {remedy}{place_of_error(error, package)}")


@contextmanager
def folder_kept() -> Iterator[None]:
    """Go back to the current folder, which relative paths start from, where the block left it. In the main thread only:
    the folder is that of all threads."""
    folder = None
    if threading.current_thread() is threading.main_thread():
        with suppress(OSError):  # it is gone
            folder = os.getcwd()
    try:
        yield
    finally:
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


@contextmanager
def exit_forbidden() -> Iterator[None]:
    """Inside it, `os._exit` raises SystemExit, so that a plugin that calls it can be named. In the main thread only:
    blocks of several threads would put it back in a wrong order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    leave, process = os._exit, os.getpid()

    def refused(status: int) -> NoReturn:
        if os.getpid() != process:  # one that the plugin forked
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = refused
    try:
        yield
    finally:
        os._exit = leave
