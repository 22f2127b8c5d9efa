"""Checks the items that a plugin's hook gives: their types, ids, titles and names of commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import click

import benchbox
from benchbox.errors import PluginError, one_line, plain_name, without_controls
from benchbox.place import place_of

_NAMEABLE = re.compile(r"[^\s:@,/]+")
"""An id that a plan, a flag and a file name can hold."""
_CALLED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A name that a shell takes as one word and click as a command."""

_OFFERS = {
    "benchbox_codecs": ("CodecInfo",),
    "benchbox_metrics": ("Metric",),
    "benchbox_datasets": ("DatasetInfo",),
    "benchbox_reports": ("Report",),
    "benchbox_references": ("Reference", "ReferenceFormat"),
}
"""The public types of the items that each hook returns, besides the commands of click. Each is imported when its hook
is called: the codecs' brings numpy and pydantic, which `benchbox --help` does without."""


def drawn(function: Callable[[], Iterable[Any]]) -> Callable[[], list[Any]]:
    """`function` with its result drawn to the end, so that a generator's errors are the plugin's too."""

    def asked() -> list[Any]:
        given: Any = function()
        if not isinstance(given, Iterable):
            shown = type(given).__name__
            raise PluginError(f"{function.__name__} gave a {shown}; it must give a list{place_of(function)}")
        return list(given)

    asked.__name__, asked.__module__ = function.__name__, function.__module__
    return asked


def fault(items: Iterable[Any], hook: str) -> str | None:
    """One line about the first of `items` that cannot be what the hook must give, or has an id that no plan can name;
    None where there is none."""
    types = _types(hook)
    kinds = " or ".join(kind.__name__ for kind in types)
    for item in items:
        if isinstance(item, type):
            return f"{hook} gave the class {item.__name__}; it must give instances of {kinds}, as {item.__name__}(...)"
        if not isinstance(item, types):
            return f"{hook} gave a {type(item).__name__}; it must give instances of {kinds}"
        name: Any = getattr(item, "id", None)
        if isinstance(item, click.Command):
            if (wrong := _unfit_command(item)) is not None:
                return wrong
            continue
        if not _is_nameable(name):
            return (f"{hook} gives the id {name!a}, which no plan can name; use lower-case letters, digits and '-', "
                    "'_' or '.'")  # fmt: skip
        title: Any = getattr(item, "title", "")
        if not isinstance(title, str):
            return f"{hook} gives {name} the title {title!a}; it must be text{place_of(item)}"
        if hook == "benchbox_metrics" and (wrong := _unfit(item)) is not None:
            return f"metric {name}: {wrong}{place_of(item)}"
    return None


def _unfit_command(command: click.Command) -> str | None:
    """One line about a command that cannot be called, or not be listed; None where it can."""
    try:
        name: Any = command.name
        if not name:
            return "one of its commands has no name; give it one"
        if not isinstance(name, str) or not _CALLED.fullmatch(name):
            return f"its command {name!a} has a name that nobody can call; use letters, digits, '-', '_' or '.'"
        command.get_short_help_str()  # what the list of commands asks of it
        bool(command.hidden)
    except Exception as error:
        return one_line(f"one of its commands cannot be listed, it raised {type(error).__name__}: {error}")
    return None


def _unfit(metric: Any) -> str | None:
    from benchbox.metric import unfit  # brings numpy

    return unfit(metric)


def _types(hook: str) -> tuple[type, ...]:
    return tuple(getattr(benchbox, name) for name in _OFFERS.get(hook, ())) or (click.Command,)


def _is_nameable(name: Any) -> bool:
    """Tells whether a plan can hold `name` and print it unchanged: it has no control or look-alike character."""
    return isinstance(name, str) and bool(_NAMEABLE.fullmatch(name)) and plain_name(without_controls(name)) == name
