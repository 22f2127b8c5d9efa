"""Calls into plugins: whatever a third party's method raises becomes one line that names the plugin and the place."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from benchbox.errors import BenchboxError, PluginError, one_line

P = ParamSpec("P")
T = TypeVar("T")


def guarded(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call a plugin's function or method.

    Raises:
        BenchboxError: as the plugin raised it.
        PluginError: the plugin raised anything else, SystemExit included; names the plugin, its object, the method,
            the error, and the file and line. Ctrl-C stays Ctrl-C.
    """
    try:
        return function(*arguments, **named)
    except BenchboxError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(blame(function, error)) from error


def blame(function: Callable[..., Any], error: BaseException) -> str:
    """``"acme (plugin acme_codec): axis raised ValueError: no axis (acme_codec.py:12)"``."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "a function")
    kind = type(owner) if owner is not None and not isinstance(owner, type) else function
    package = str(getattr(kind, "__module__", "unknown")).partition(".")[0]
    who = f"{getattr(owner, 'id', None) or kind.__name__} (plugin {package})"
    what = "called sys.exit" if isinstance(error, SystemExit) else f"raised {type(error).__name__}"
    text = one_line(error)
    return one_line(f"{who}: {name} {what}{f': {text}' if text else ''}{_place(package, error)}")


def _place(package: str, error: BaseException) -> str:
    """``" (FILE:LINE)"``, the deepest line that lies in the plugin's own code."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without the call itself
    own = [frame for frame in frames if package in Path(frame.filename).with_suffix("").parts] or frames
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
