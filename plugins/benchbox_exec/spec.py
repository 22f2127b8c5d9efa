"""The keys of a TOML description of a command-line codec, and the checks of its command templates."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchbox.codec import QualityAxis
from benchbox.errors import PluginError, did_you_mean
from benchbox.values import boolean_as_number, form, wrong

Command = Annotated[list[str], Field(min_length=1)]
ID = r"[a-z0-9]+([-_.][a-z0-9]+)*"
_Id = Annotated[str, AfterValidator(form(ID, "lower-case letters and digits, joined by '-', '_' or '.'"))]
_Suffix = Annotated[str, AfterValidator(form(r"\.[A-Za-z0-9.]+", "'.' and letters or digits, such as .bin"))]

_ENCODE = {"input": "i", "output": "o", "quality": 1, "width": 1, "height": 1, "here": "h"}
_DECODE = {"input": "i", "output": "o", "here": "h"}  # a decoder gets bytes and nothing else


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Axis(_Model):
    """The ``axis`` table; see `benchbox.QualityAxis`."""

    name: str = "quality"
    values: Annotated[list[float], Field(min_length=1)]
    minimum: float
    maximum: float
    unit: str = ""
    integer: bool = False

    def build(self) -> QualityAxis:
        return QualityAxis(self.name, tuple(self.values), self.minimum, self.maximum, self.unit, self.integer)


class Spec(_Model):
    """One codec's table.

    `encode` and `decode` are argument lists; no shell reads them. Placeholders: ``{input}`` and ``{output}`` are paths
    in a private folder, ``{here}`` is the folder of the TOML file; `encode` also has ``{quality}``, ``{width}`` and
    ``{height}``. Format specifications such as ``{quality:.2f}`` are allowed.
    """

    id: _Id
    title: str = ""
    encode: Command
    decode: Command
    version: Command | None = None
    input: Literal["png", "ppm"] = "png"
    output: Literal["png", "ppm"] = "png"
    suffix: _Suffix = ".bin"
    channels: frozenset[Literal[1, 3, 4]] = Field(frozenset({3}), min_length=1)
    bit_depths: frozenset[Literal[8, 16]] = Field(frozenset({8}), min_length=1)
    lossless: bool = False
    deterministic: bool = True
    min_size: int = Field(1, ge=1)
    max_size: int = Field(65535, ge=1)
    timeout: float = Field(600, gt=0, description="seconds for one command")
    axis: Axis | None = None

    @model_validator(mode="after")
    def _whole(self) -> Spec:
        if self.lossless and self.axis is not None:
            raise ValueError("a lossless codec has no axis; remove one of the two")
        if not self.lossless and self.axis is None:
            raise ValueError("a lossy codec needs an [axis] table; add one or set lossless = true")
        if self.axis is not None:
            self.axis.build()
        if 4 in self.channels and "ppm" in (self.input, self.output):
            raise ValueError("ppm holds no alpha; use png or leave 4 out of channels")
        _check("encode", self.encode, _ENCODE, {"input", "output"} | (set() if self.lossless else {"quality"}))
        _check("decode", self.decode, _DECODE, {"input", "output"})
        _check("version", self.version or [], {"here": "h"}, set())
        return self


def parse(table: Mapping[str, Any]) -> Spec:
    """The validated table of one codec; raises a PluginError of one line."""
    try:
        spec = Spec.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = Axis.model_fields if first["loc"][0] == "axis" else Spec.model_fields
            raise PluginError(f"unknown key '{where}'{did_you_mean(str(first['loc'][-1]), known)}") from error
        raise PluginError(f"{where}: {wrong(first)}" if where else wrong(first)) from error
    if (place := boolean_as_number(table, spec)) is not None:
        raise PluginError(f"{place}: must be a number, not true or false")
    return spec


def fill(template: list[str], values: Mapping[str, Any]) -> list[str]:
    """The arguments with their placeholders replaced."""
    return [part.format(**values) for part in template]


def _check(name: str, template: list[str], known: Mapping[str, Any], needed: set[str]) -> None:
    used: set[str] = set()
    for part in template:
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(part) if field is not None}
        except ValueError as error:
            raise ValueError(f"{name}: {part!r}: {error}; write {{{{ and }}}} for braces") from None
        for field in fields - set(known):
            raise ValueError(f"{name}: unknown placeholder {{{field}}}{did_you_mean(field, known)}; "
                             f"it has {', '.join(f'{{{key}}}' for key in known)}")
        try:
            fill([part], known)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{name}: {part!r}: {error}") from None
        used |= fields
    for field in sorted(needed - used):
        raise ValueError(f"{name}: the placeholder {{{field}}} is missing")
