"""Values that a user or a file gives: lists on one line; and what is wrong with a value, said in one way wherever
values are validated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchbox.errors import one_line

_KINDS = {
    "string": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list",
    "tuple": "a list", "set": "a list", "frozen_set": "a list", "dict": "a table", "mapping": "a table",
    "model": "a table", "model_attributes": "a table", "dataclass": "a table", "path": "a path", "bytes": "bytes",
    "datetime": "a date", "date": "a date",
}  # fmt: skip
"""First word of pydantic's type of an error -> what was to be given."""

_BOUNDS = {"greater_than": ("gt", "above"), "greater_than_equal": ("ge", "at least"), "less_than": ("lt", "below"),
           "less_than_equal": ("le", "at most"), "multiple_of": ("multiple_of", "a multiple of")}  # fmt: skip


def listed(text: str, separator: str = ",") -> list[str]:
    """The entries of a list on one line, ``"jpeg, 'ours, slow'"``: blanks around them go, and so do empty ones. An
    entry that holds the separator stands in quotes, single or double."""
    mark = re.escape(separator)
    found = re.findall(rf"""\s*(?:"([^"]*)"|'([^']*)')\s*(?:{mark}|\Z)|([^{mark}]*)(?:{mark}|\Z)""", text)
    return [entry for double, single, plain in found if (entry := double or single or plain.strip())]


def pairs_in(text: str) -> list[tuple[str, str]]:
    """The ways to read ``"NAME=VALUE"``, (name, value) for each equals sign that has text on both sides: names and
    values may hold one. A name in quotes, single or double, is taken as it stands, and there is one way."""
    if quoted := re.fullmatch(r"""\s*(?:"([^"]+)"|'([^']+)')\s*=(.*)""", text, re.DOTALL):
        double, single, value = quoted.groups()
        return [(double or single, value.strip())] if value.strip() else []
    ways = [(text[:at].strip(), text[at + 1 :].strip()) for at, character in enumerate(text) if character == "="]
    return [(name, value) for name, value in ways if name and value]


def form(pattern: str, words: str) -> Callable[[str], str]:
    """A check of a model's field, for pydantic's ``AfterValidator``: a text that the regular expression `pattern` does
    not match as a whole "must be `words`", e.g. ``"64 hexadecimal digits"``."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        from pydantic_core import PydanticCustomError  # not for every command

        raise PydanticCustomError("form", "must be {words}", {"words": words})

    return check


def wrong(fault: Mapping[str, Any], got: bool = True) -> str:
    """What is wrong with a value and what it must be, e.g. ``"must be a whole number, got 'x'"``.

    Args:
        fault: an item of ``pydantic.ValidationError.errors()``.
        got: whether to name the value.
    """
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return str(fault["msg"]).partition(", ")[2]  # a check of ours says all of it
    if kind == "missing":
        last = (fault.get("loc") or ("",))[-1]
        return f"entry {last + 1} is missing; add it" if isinstance(last, int) else "is missing; add it"
    if kind == "invalid_key":
        return f"is no key; write it as text, '{fault.get('input')}'"
    if kind == "extra_forbidden":
        return "is not known; remove it"
    if isinstance(fault.get("input"), str) and kind in ("too_short", "too_long"):
        kind = f"string_{kind}"  # as pydantic says of a text that was checked by more than its length
    verb = "have" if kind.endswith(("too_short", "too_long")) else "be"
    return f"must {verb} {_wanted(kind, context)}" + (f", got {one_line(repr(fault.get('input')), 80)}" if got else "")


def boolean_as_number(given: Any, made: Any) -> str | None:
    """The place in `given`, as ``"axis.values.0"``, of a true or false that stands for a number in `made`, which
    pydantic made of it: it would count as 1 or 0. None where there is none."""
    if isinstance(given, bool):
        return "" if isinstance(made, int | float) and not isinstance(made, bool) else None
    pairs: Iterable[tuple[object, Any, Any]] = ()
    if isinstance(given, Mapping):
        found = made if isinstance(made, Mapping) else getattr(made, "__dict__", {})
        pairs = [(name, value, found.get(name)) for name, value in given.items() if isinstance(name, str)]
    elif isinstance(given, list | tuple) and isinstance(made, list | tuple):
        pairs = zip(range(len(given)), given, made, strict=False)
    elif isinstance(given, list | tuple | set | frozenset) and isinstance(made, set | frozenset):
        pairs = [(k, one, next((m for m in made if m == one), None)) for k, one in enumerate(given)
                 if isinstance(one, bool)]  # fmt: skip
    for name, value, made_of_it in pairs:
        if (inner := boolean_as_number(value, made_of_it)) is not None:
            return f"{name}.{inner}" if inner else str(name)
    return None


def _wanted(kind: str, context: Mapping[str, Any]) -> str:
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context[name]
        return f"{words} {bound:g}" if isinstance(bound, float) else f"{words} {bound}"
    if kind in ("literal_error", "enum"):
        return str(context["expected"])
    if kind == "finite_number":
        return "a finite number"
    if kind == "int_parsing_size":
        return "a smaller whole number"
    if kind == "form":
        return str(context["words"])
    if kind == "string_pattern_mismatch":  # of a model of others: ours have words for it
        return f"text of the form {context['pattern']}"
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        return f"at least {least} {_things(kind, least)}"
    if kind in ("too_long", "string_too_long"):
        most = context["max_length"]
        return f"at most {most} {_things(kind, most)}"
    return next((_KINDS[word] for word in (kind.rpartition("_")[0], kind.partition("_")[0]) if word in _KINDS),
                "another value")  # fmt: skip


def _things(kind: str, count: int) -> str:
    one, more = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
    return one if count == 1 else more
