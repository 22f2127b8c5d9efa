"""A codec that says something wrong of itself is found before anything is encoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from gallery import Fault, Module, caught, module, outcomes  # noqa: F401

AXIS = 'return QualityAxis("bits", (1, 3, 5), minimum=1, maximum=8, integer=True)'
MADE = 'Info(id="toy", title="Toy", Options=Options)'
STATED = 'id="toy", title="Toy", Options=Options'
IDENTITY = 'return "toy 1"'
EMPTY = '    """No options."""'

FAULTS = [
    Fault("id with a space and an accent", 'id="toy"', 'id="My Codec é"', "names", "got 'My Codec é'"),
    Fault("id with a colon and an at sign", 'id="toy"', 'id="a:b@c"', "names", "the id must be lower-case"),
    Fault("id is None", 'id="toy"', "id=None", "names", "the id must be lower-case"),
    Fault("title of two lines", 'title="Toy"', 'title="To\\ny"', "names", "the title must be one line of text"),
    Fault("title is None", 'title="Toy"', "title=None", "names", "the title must be one line of text"),
    Fault("identity raises", IDENTITY, 'raise RuntimeError("no version")', "identity",
          "identity raised RuntimeError: no version"),
    Fault("identity is None", IDENTITY, "return None", "identity", "identity must be one line of text, got None"),
    Fault("identity of two lines", IDENTITY, 'return "a\\nb"', "identity", "identity must be one line of text"),
    Fault("identity of the time", IDENTITY, "import time; return str(time.time_ns())", "identity",
          "identity changes from call to call"),
    Fault("identity of the process", IDENTITY, "import os; return str(os.getpid())", "identity",
          "identity differs between two processes"),
    Fault("identity of a set's order", IDENTITY, 'return " ".join({str(n) for n in range(50)})', "identity",
          "identity differs between two processes"),
    Fault("axis raises", AXIS, 'raise RuntimeError("no axis")', "axis_values", "axis raised RuntimeError: no axis"),
    Fault("axis not in order", "(1, 3, 5)", "(3, 1, 5)", "axis_values", "must rise, or all fall, got (3, 1, 5)"),
    Fault("axis with a value twice", "(1, 3, 5)", "(1, 3, 3, 5)", "axis_values", "must rise, or all fall"),
    Fault("axis out of bounds", "(1, 3, 5)", "(1, 3, 9)", "axis_values", "its values must lie in [1, 8]"),
    Fault("axis of texts", "(1, 3, 5)", "('1', '3', '5')", "axis_values", "its values must be numbers, got '1'"),
    Fault("axis of no values", "(1, 3, 5)", "()", "axis_values", "must have values"),
    Fault("axis is a list", AXIS, "return [1, 3, 5]", "axis_values", "must give a QualityAxis or None, got list"),
    Fault("lossless and an axis", STATED, STATED + ", capabilities=Capabilities(lossless=True)", "axis_values",
          "return None from axis or declare lossless=False"),
    Fault("neither lossless nor an axis", AXIS, "return None", "axis_values", "declare lossless=True or return an"),
    Fault("required option", EMPTY, "    weights: str", "options", "option weights has no default"),
    Fault("option that is a list", EMPTY, "    sizes: list[int] = [1, 2]", "options", "sizes is a list"),
    Fault("options of another class", "class Options(OptionsModel):", "from pydantic import BaseModel\n"
          "class Options(BaseModel):", "declarations", "must be a subclass of benchbox.OptionsModel, got Options"),
    Fault("options that JSON changes", EMPTY, "    pair: bytes | str = b'1'", "options", "are written to JSON"),
    Fault("capabilities of a plain set", STATED, STATED + ", capabilities=Capabilities(channels={1, 2, 3})",
          "declarations", "capabilities.channels must be a frozenset of some of 1, 3, 4"),
    Fault("capabilities are a dict", STATED, STATED + ", capabilities={}", "declarations",
          "must be a benchbox.Capabilities, got dict"),
    Fault("suffix without a full stop", STATED, STATED + ', suffix="toy"', "declarations", "suffix must be ''"),
    Fault("GPU only", STATED, STATED + ', capabilities=Capabilities(devices=("cuda",))', "declarations",
          "it runs on cuda only and was checked on 'cpu'"),
]  # fmt: skip

SOUND = {
    "sound": ("TOP = None", ""),
    "facts on the class": ("    FACTS = None", "    id = 'toy'\n    title = 'Toy'\n    suffix = '.toy'"),
    "options and capabilities on the class": ("    FACTS = None", "    Options = Options\n"
                                              "    capabilities = Capabilities(channels=frozenset({3}))"),
    "what cannot be pickled": (MADE, f"(lambda i: object.__setattr__(i, 'f', lambda: 1) or i)({MADE})"),
}  # fmt: skip


SLOW = [fault.name for fault in FAULTS if fault.rule in ("names", "identity")][2:] + list(SOUND)[1:]
"""All rules are tried on these, in a second or so."""


def marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in names]


@pytest.mark.parametrize("name", marked(fault.name for fault in FAULTS))
def test_it_is_caught(name: str, module: Module) -> None:  # noqa: F811
    fault = next(fault for fault in FAULTS if fault.name == name)
    caught(fault, module(fault.text()))


@pytest.mark.parametrize("name", marked(SOUND))
def test_a_sound_one_keeps_every_rule(name: str, module: Module) -> None:  # noqa: F811
    old, new = SOUND[name]
    found = outcomes(module(Fault(name, old, new, "", "").text()))
    assert {rule: outcome for rule, outcome in found.items() if outcome.verdict != "pass"} == {}
