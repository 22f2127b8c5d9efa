"""The hooks that a plugin implements, and the mistakes by which a function of it is never called."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Any

from benchbox import hookspecs
from benchbox.errors import PluginError
from benchbox.place import place_of

_PREFIX = f"{hookspecs.PROJECT}_"
_MARK = f"{hookspecs.PROJECT}_impl"  # the attribute that `hookimpl` gives a function
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

HOOKS: tuple[str, ...] = tuple(name for name in vars(hookspecs) if name.startswith(_PREFIX))
"""The names of all hooks."""


def nothing(module: Any) -> str:
    """The fault of a plugin without hooks, with the remedy."""
    if getattr(module, "__file__", "") is None:  # a namespace package, found because the folder is on sys.path
        return (f"only a folder of that name was found, {next(iter(module.__path__), '')}; start benchbox in another "
                "folder, or as `benchbox` and not as `python -m benchbox`")
    others = f"{' or '.join(HOOKS[:2])} (or one of {len(HOOKS) - 2} others)"
    return misspelt(module, ()) or ("it implements no hook, so it offers nothing; write a function "
                                    f"{others}, marked with @hookimpl")  # fmt: skip


def implemented(module: Any) -> dict[str, Callable[[], Any]]:
    """Hook -> the function of `module` (a plugin's module, or whatever its entry point names) that implements it; empty
    where it implements none.

    Raises:
        PluginError: a function marked with `hookimpl` has the name of no hook, or takes arguments; or a function with
            the name of a hook is not marked. Names the function, its file and line, and the remedy.
    """
    found: dict[str, Callable[[], Any]] = {}
    for name, function, mark in _functions(module):
        if mark is None and name in HOOKS:
            raise PluginError(f"{name} is not called, since it is not marked; write @hookimpl above it (from benchbox "
                              f"import hookimpl){place_of(function)}")  # fmt: skip
        hook = name if mark is None else mark.get("specname") or name
        if mark is not None and hook not in HOOKS:
            raise PluginError(f"unknown hook '{hook}'{_meant(hook)}{place_of(function)}")
        if mark is not None:
            if any(parameter.default is parameter.empty and parameter.kind not in _VARIADIC
                   for parameter in inspect.signature(function).parameters.values()):  # fmt: skip
                raise PluginError(f"hook '{hook}' takes no arguments; write it as `def {name}():`{place_of(function)}")
            found[hook] = function
    return found


def misspelt(module: Any, known: Collection[str]) -> str | None:
    """One line about an unmarked function whose name is nearly that of a hook, unless that hook is among `known`."""
    for name, function, mark in _functions(module):
        hook = _nearest(name)
        if mark is None and hook is not None and hook not in known:
            return f"'{name}' is no hook, so it is not called{_meant(name)}{place_of(function)}"
    return None


def _functions(module: Any) -> Iterator[tuple[str, Any, dict[str, Any] | None]]:
    """(name, function, what `hookimpl` noted on it, or None) of each function that is, or seems meant as, a hook."""
    for name in dir(module):
        function = inspect.getattr_static(module, name, None)
        if not callable(function) or inspect.isclass(function):
            continue
        mark = getattr(function, _MARK, None)
        if isinstance(mark, dict) or name.startswith(_PREFIX):
            yield name, getattr(module, name), mark if isinstance(mark, dict) else None


def _nearest(name: str) -> str | None:
    """The hook that `name` is nearly: compared without the prefix, which makes any two names alike."""
    ends = [hook.removeprefix(_PREFIX) for hook in HOOKS]
    close = difflib.get_close_matches(name.removeprefix(_PREFIX), ends, n=1)
    return _PREFIX + close[0] if close else None


def _meant(name: str) -> str:
    hook = _nearest(name)
    return f"; did you mean '{hook}'?" if hook else f"; the hooks are {', '.join(HOOKS)}"
