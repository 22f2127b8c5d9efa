"""The options of a codec or a report as rows of a table: name, type, default, bounds, description."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from benchbox.codec import OptionsModel
from benchbox.errors import one_line

HEAD = ("option", "type", "default", "bounds", "description")

_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "multiple_of": "multiple of", "min_length": "length >=",
          "max_length": "length <=", "pattern": "matches"}  # fmt: skip
"""Constraint of pydantic -> the words for it."""


def rows(model: type[OptionsModel]) -> Iterator[tuple[str, str, str, str, str]]:
    """One row for each option, in the order of the model's definition."""
    for name, field in model.model_fields.items():
        yield name, kind(field.annotation), default(field), bounds(field), one_line(field.description or "")


def kind(annotation: Any) -> str:
    """``"int"``, ``"choice"``, ``"text or none"``: the type in plain words."""
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(kind(part) for part in get_args(annotation))
    names = {str: "text", bool: "yes or no", type(None): "none", int: "whole number", float: "number"}
    return names.get(annotation) or str(getattr(annotation, "__name__", annotation)).lower()


def default(field: FieldInfo) -> str:
    """The default as a plan writes it; ``"(required)"`` without one."""
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True)  # type: ignore[call-arg,unused-ignore]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return '""' if value == "" else one_line(value)


def bounds(field: FieldInfo) -> str:
    """``">= 0, <= 6"``, or the values of a choice: ``"444, 422, 420"``."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(str(value) for value in get_args(field.annotation))
    found = [f"{words} {getattr(rule, name)}" for rule in field.metadata for name, words in _SIGNS.items()
             if getattr(rule, name, None) is not None]  # fmt: skip
    return ", ".join(found)
