"""Every fact of a description may stand on the class; what cannot be honoured is refused where the class is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import pytest

from benchbox import (
    Capabilities,
    CodecInfo,
    DatasetInfo,
    Display,
    Metric,
    OptionsModel,
    QualityAxis,
    Reference,
    ReferenceFormat,
    Report,
)
from benchbox.errors import PluginError


class SomeOptions(OptionsModel):
    pass


AXIS = QualityAxis("q", (1,), 1, 2)
FACTS: dict[type, dict[str, Any]] = {
    CodecInfo: {"id": "a", "title": "A", "Options": SomeOptions, "capabilities": Capabilities(lossless=True),
                "suffix": ".a", "quality": AXIS, "codec_class": lambda info, options, device: None},
    Metric: {"id": "a", "title": "A", "version": "1", "unit": "dB", "better": "lower", "display": Display("A"),
             "lowest": 1, "highest": 2.5},
    DatasetInfo: {"id": "a", "title": "A", "argument": "PATH", "fetchable": True},
    Report: {"id": "a", "title": "A", "Options": SomeOptions, "default": True},
    Reference: {"id": "a", "title": "A", "dataset": "kodak", "convention": "c", "source": "s", "bpp": (1.0,),
                "metrics": {"psnr": (30.0,)}, "caution": "none", "kind": "earlier run", "pictures": {}},
    ReferenceFormat: {"id": "a", "title": "A", "suffixes": (".a",)},
}  # fmt: skip
CASES = [(base, name) for base, facts in FACTS.items() for name in facts]
METHODS: list[tuple[type, str]] = [
    (CodecInfo, "identity"), (CodecInfo, "axis"), (CodecInfo, "open"), (CodecInfo, "unavailable"), (CodecInfo, "label"),
    (CodecInfo, "parse_options"), (CodecInfo, "require"), (Metric, "open"), (Metric, "unavailable"),
    (DatasetInfo, "open"), (DatasetInfo, "missing"), (DatasetInfo, "fetch"), (Report, "render"),
    (ReferenceFormat, "read"),
]  # fmt: skip


def subclass(base: type, **attributes: Any) -> Any:
    """A subclass of `base` with its abstract methods and `attributes`."""
    methods = {name: lambda self, *arguments: None for name in getattr(base, "__abstractmethods__", ())}
    return type("Mine", (base,), {**methods, **attributes})


def test_every_field_is_tried() -> None:
    assert {base: {one.name for one in fields(base)} for base in FACTS} == {b: set(facts) for b, facts in FACTS.items()}


@pytest.mark.parametrize(("base", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_class_attribute_counts_and_an_argument_goes_before_it(base: Any, name: str) -> None:
    facts = FACTS[base]
    others = {key: value for key, value in facts.items() if key != name}
    assert getattr(subclass(base, **{name: facts[name]})(**others), name) is facts[name]
    assert getattr(subclass(base, **facts)(), name) is facts[name]
    other = {"id": "b"} if name == "id" else {name: facts[name]}
    assert getattr(subclass(base, **{**facts, name: facts[name]})(**other), name) is next(iter(other.values()))


@pytest.mark.parametrize(("base", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_what_cannot_be_honoured_is_refused_where_the_class_is_made(base: type, name: str) -> None:
    wrong = [property(lambda self: None), cached_property(lambda self: None), *([object()] * (name != "codec_class"))]
    for value in wrong:
        with pytest.raises(PluginError, match=rf"^Mine\.{name} must be .*, not a \w+; write it as a class "):
            subclass(base, **{name: value})


@pytest.mark.parametrize(("base", "name"), METHODS, ids=lambda value: getattr(value, "__name__", value))
def test_a_value_in_place_of_a_method_is_refused(base: type, name: str) -> None:
    for value in ("text", None, property(lambda self: None)):
        with pytest.raises(PluginError, match=rf"^Mine\.{name} must be a method, not a \w+; write `def {name}\(self, "):
            subclass(base, **{name: value})


def test_an_axis_on_the_class_is_told_its_name() -> None:
    with pytest.raises(PluginError, match=r"^Mine\.axis must be a method, .*, or state it as `quality`$"):
        subclass(CodecInfo, axis=AXIS)


@pytest.mark.parametrize("base", FACTS, ids=lambda base: base.__name__)
def test_what_is_missing_is_named(base: type) -> None:
    with pytest.raises(PluginError, match=r"^Mine has no title; give it as arguments or on the class$"):
        subclass(base, **{name: value for name, value in FACTS[base].items() if name != "title"})()


def test_a_dataclass_of_ones_own_keeps_its_fields() -> None:
    @dataclass(frozen=True)
    class Folder(DatasetInfo):
        id: str = "mine"
        folder: str = "here"
        title = "Mine"

        def open(self, argument: str) -> Any:
            return None

    assert Folder(id="b").id == "b"
    made: Any = Folder(folder="x")
    assert [made.id, made.title, made.folder] == ["mine", "Mine", "x"]
