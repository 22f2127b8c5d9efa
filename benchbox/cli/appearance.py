"""The flags of ``benchbox report`` that change how a report looks: those of the plan's table ``[report]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from benchbox.errors import OptionError
from benchbox.values import listed, wrong

if TYPE_CHECKING:
    from benchbox.appearance import Appearance

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS = (
    ("--codecs", "codecs", "A,B...", "Codecs shown, in this order; one with a comma in quotes. [default: all]"),
    ("--label", "labels", "CODEC=NAME", "Name of a codec in the report."),
    ("--colour", "colours", "CODEC=#RRGGBB", "Colour of a codec."),
    ("--family", "families", "CODEC=NAME", "Family of a codec; codecs of a family share a colour."),
    ("--highlight", "highlight", "CODEC", "The codec to highlight, e.g. ours."),
    ("--metrics", "metrics", "A,B...", "Metrics shown, in this order. [default: all]"),
    ("--range", "ranges", "AXIS=LOW:HIGH", "Ends of an axis of figures: bpp=0.1:2, psnr=28:42."),
    ("--widths", "widths", "COLUMN,PAGE", "Inches of column-wide and page-wide figures. [default: 3.5,7.16]"),
    ("--font", "font", "FAMILY", "Font of figures: Times, Helvetica, DejaVu Sans, any that is installed."),
)
"""(flag, key of the table, what it takes, help)"""
_SINGLE = ("codecs", "metrics", "highlight", "widths", "font")


def appearance_options(function: F) -> F:
    """Add the flags to a command, which gets them as keywords named as the table's keys."""
    for flag, key, takes, text in reversed(_FLAGS):
        multiple = key not in _SINGLE
        function = click.option(flag, key, metavar=takes, multiple=multiple, help=text)(function)
    return function


def with_flags(table: Appearance, given: Mapping[str, Any]) -> Appearance:
    """The plan's table with what the flags say; a flag replaces the table's key, or its entry for one codec or axis.

    Raises:
        OptionError: a flag's value is not of the form that its help shows; names the flag.
    """
    changes: dict[str, Any] = {}
    for flag, key, takes, _ in _FLAGS:
        value = given.get(key)
        if not value:
            continue
        if key in ("codecs", "metrics", "widths"):
            changes[key] = tuple(listed(value))
        elif key in _SINGLE:
            changes[key] = value
        else:
            pairs = _pairs(flag, takes, value)
            ranges = {name: tuple(ends.split(":")) for name, ends in pairs.items()} if key == "ranges" else pairs
            changes[key] = {**getattr(table, key), **ranges}
    if not changes:
        return table
    from pydantic import ValidationError  # not for every command

    try:
        return type(table).model_validate(table.model_dump() | changes)
    except ValidationError as error:
        first = error.errors()[0]
        flag, takes = next((f, t) for f, key, t, _ in _FLAGS if key == first["loc"][0])
        raise OptionError(f"{flag}: {wrong(first)}; write {flag} {takes}") from None


def _pairs(flag: str, takes: str, texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or not name or not value:
            raise OptionError(f"{flag} {text}: write {flag} {takes}")
        found[name.strip()] = value.strip()
    return found
