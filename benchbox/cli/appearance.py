"""The flags of ``benchbox report`` that change how a report looks: those of the plan's table ``[report]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from benchbox.errors import OptionError, UnknownIdError, plain_name
from benchbox.values import listed, pairs_in, wrong

if TYPE_CHECKING:
    from benchbox.appearance import Appearance, Nameable

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


def with_flags(table: Appearance, given: Mapping[str, Any], names: Nameable) -> Appearance:
    """The plan's table with what the flags say; a flag replaces the table's key, or its entry for one codec or axis.

    Args:
        table: the plan's table.
        given: key of the table -> what its flag was given.
        names: what of the run a flag may name.

    Raises:
        OptionError: a flag's value is not of the form that its help shows, or can be read in two ways; names the flag.
        UnknownIdError: a name and value that hold several equals signs name no codec, however they are split.
    """
    changes: dict[str, Any] = {}
    for flag, key, takes, _ in sorted(_FLAGS, key=lambda one: one[1] != "labels"):  # others may use new labels
        value = given.get(key)
        if not value:
            continue
        if key in ("codecs", "metrics", "widths"):
            changes[key] = tuple(listed(value))
        elif key in _SINGLE:
            changes[key] = value
        else:
            pairs = dict(_pair(flag, takes, text, names) for text in value)
            ranges = {name: tuple(ends.split(":")) for name, ends in pairs.items()} if key == "ranges" else pairs
            changes[key] = {**getattr(table, key), **ranges}
            if key == "labels":
                names = replace(names, given={**names.given, **{new: name for name, new in pairs.items()}})
    if not changes:
        return table
    from pydantic import ValidationError  # not for every command

    try:
        return type(table).model_validate(table.model_dump() | changes)
    except ValidationError as error:
        first = error.errors()[0]
        flag, takes = next((f, t) for f, key, t, _ in _FLAGS if key == first["loc"][0])
        of = f" {first['loc'][1]}" if len(first["loc"]) > 1 and isinstance(first["loc"][1], str) else ""
        raise OptionError(f"{flag}{of}: {wrong(first)}; write {flag} {takes}") from None


def _pair(flag: str, takes: str, text: str, names: Nameable) -> tuple[str, str]:
    """(name, value) of a flag: of the ways to split it, the one whose name the run knows."""
    ways = pairs_in(text)
    if not ways:
        raise OptionError(f"{flag} {text}: write {flag} {takes}")
    axis = takes.startswith("AXIS")
    known = [way for way in ways if (way[0] in names.axes if axis else names.has(plain_name(way[0])))]
    if len(known) > 1:
        both = " and ".join(f"'{name}'" for name, _ in known)
        quoted = f"""{flag} '"{known[0][0]}"={known[0][1]}'"""
        raise OptionError(f"{flag} {text}: {both} are names in this run; put the one that is meant in quotes: {quoted}")
    if not known and len(ways) > 1:
        tried = " nor ".join(f"'{name}'" for name, _ in ways)
        raise UnknownIdError(f"{flag} {text}: this run has neither {tried}{names.instead(ways[-1][0])}")
    return known[0] if known else ways[0]
