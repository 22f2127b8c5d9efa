"""Descriptions whose facts are arguments, or class attributes of a subclass: honoured, or refused where it is made."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import Field, field
from functools import cached_property
from types import MemberDescriptorType
from typing import Any, ClassVar

from benchbox.errors import PluginError

_UNSET: Any = object()  # the default of every fact until __post_init__ finds the real one


def stated(*kinds: type, default: Any = _UNSET) -> Any:
    """A field of a subclass of `Stated`: an instance of one of `kinds`, or anything if there are none. Without
    `default` it must be given, as an argument or on the class."""
    return field(default=_UNSET, metadata={"kinds": kinds, "default": default})


class Stated:
    """Base of the frozen dataclasses that plugins describe themselves with; their fields are made by `stated`.

    An argument goes before a class attribute, and that before the default. With ordinary defaults, the `__init__` of a
    dataclass would overwrite class attributes in silence.
    """

    _stated_as: ClassVar[Mapping[str, str]] = {}
    """Method -> the field that states its constant result."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Check the class attributes that replace fields and methods.

        Raises:
            PluginError: a field is a property or of another type, or a method is a value.
        """
        super().__init_subclass__(**keywords)
        fields: Mapping[str, Field[Any]] = getattr(cls, "__dataclass_fields__", {})
        for name, value in vars(cls).items():
            if name in fields:
                _check_value(cls, fields[name], value)
            elif _is_method(cls, name):
                _check_method(cls, name, value)

    def __post_init__(self) -> None:
        missing = []
        for name, one in type(self).__dataclass_fields__.items():  # type: ignore[attr-defined]
            if getattr(self, name) is not _UNSET:
                continue
            value = getattr(type(self), name)
            value = one.metadata.get("default", _UNSET) if value is _UNSET else value
            object.__setattr__(self, name, value)
            missing += [name] if value is _UNSET else []
        if missing:
            raise PluginError(f"{type(self).__name__} has no {' and no '.join(missing)}; give "
                              f"{'it' if len(missing) == 1 else 'them'} as arguments or on the class")


def _check_value(cls: type, one: Field[Any], value: Any) -> None:
    if isinstance(value, Field | MemberDescriptorType) or value is _UNSET:  # the class is a dataclass itself
        return
    kinds = one.metadata.get("kinds", ())
    wrong = isinstance(value, property | cached_property | classmethod | staticmethod)
    if wrong or (kinds and not isinstance(value, kinds)):
        names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds) or "a plain value"
        raise PluginError(f"{cls.__name__}.{one.name} must be {names}, not a {type(value).__name__}; write it as a "
                          "class attribute or give it as an argument")


def _is_method(cls: type, name: str) -> bool:
    return not name.startswith("_") and any(
        inspect.isfunction(vars(base).get(name)) for base in cls.__mro__[1:] if issubclass(base, Stated)
    )


def _check_method(cls: type[Stated], name: str, value: Any) -> None:
    if isinstance(value, property | cached_property) or not (callable(value) or hasattr(value, "__get__")):
        instead = cls._stated_as.get(name)
        raise PluginError(f"{cls.__name__}.{name} must be a method, not a {type(value).__name__}; write "
                          f"`def {name}(self, ...)`" + (f", or state it as `{instead}`" if instead else ""))
