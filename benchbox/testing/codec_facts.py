"""The rules for what a codec says of itself: nothing is encoded."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from benchbox.codec import Capabilities, OptionsModel, QualityAxis, options_json
from benchbox.errors import OptionError
from benchbox.testing.subject import CodecSubject

_MEMBERS = (("channels", {1, 3, 4}), ("bit_depths", {8, 16}), ("devices", {"cpu", "cuda"}))


def names(subject: CodecSubject) -> None:
    """The id fits a plan and a file name, the title is one line."""
    subject.check_names(subject.info.id, subject.info.title)


def declarations(subject: CodecSubject) -> None:
    """Options is an option model, the capabilities name what exists, and the device under test is one of them."""
    info = subject.info
    for method, *arguments in ((info.identity, "options"), (info.axis, "options"), (info.open, "options", "device")):
        subject.check_arguments(method, *arguments)
    if not (isinstance(info.Options, type) and issubclass(info.Options, OptionsModel)):
        shown = getattr(info.Options, "__name__", repr(info.Options))
        subject.breach(f"Options must be a subclass of benchbox.OptionsModel, got {shown}; derive it from that class",
                       at=info.Options if isinstance(info.Options, type) else None)
    taken: Any = info.capabilities
    if not isinstance(taken, Capabilities):
        subject.breach(f"capabilities must be a benchbox.Capabilities, got {type(taken).__name__}; give one")
    for name, known in _MEMBERS:
        value, kind = getattr(taken, name), tuple if name == "devices" else frozenset
        if not isinstance(value, kind) or not value or not set(value) <= known:
            allowed = ", ".join(map(str, sorted(known)))
            subject.breach(f"capabilities.{name} must be a {kind.__name__} of some of {allowed}, got {value!r}; write "
                           f"{name}={kind.__name__}(...)")
    if not 1 <= taken.min_size <= taken.max_size or taken.pixel_tolerance < 0:
        subject.breach("capabilities must have 1 <= min_size <= max_size and pixel_tolerance >= 0; correct them")
    if not isinstance(info.suffix, str) or (info.suffix and not info.suffix.startswith(".")):
        subject.breach(f"suffix must be '' or begin with a full stop, as '.jpg', got {info.suffix!r}; correct it")
    if subject.device.partition(":")[0] not in taken.devices:
        subject.breach(f"it runs on {' or '.join(taken.devices)} only and was checked on {subject.device!r}; declare "
                       "devices=('cpu',) too, or check it with device='cuda' on a machine with such a GPU")


def options(subject: CodecSubject) -> None:
    """Every option has a default or was given, unknown ones are refused, and they come back from JSON as they were."""
    info = subject.info
    required = [name for name, field in info.Options.model_fields.items()
                if field.is_required() and name not in subject.given]
    if required:
        subject.breach(f"option {required[0]} has no default, so that the codec cannot be run by its id alone; give it "
                       "a default, or check the codec with a value for it", at=info.Options)
    try:
        values = info.parse_options(subject.given)
    except OptionError as error:
        subject.breach(f"its options cannot be had: {error}", at=info.Options)
    try:
        info.parse_options({"no-such-option": 1})
    except OptionError:
        pass
    else:
        subject.breach("it accepts an unknown option; derive Options from benchbox.OptionsModel", at=info.Options)
    try:
        hash(values)
    except TypeError as error:
        changing = [f"{name} is a {type(value).__name__}" for name, value in values if getattr(value, "__hash__", 0)
                    is None]  # fmt: skip
        subject.breach(f"its options can change after they were validated, as {', '.join(changing) or error}; declare "
                       "tuple for list and frozenset for set", at=info.Options)
    again = info.parse_options(json.loads(options_json(values)))
    if again != values:
        subject.breach("its options change when they are written to JSON and read back, as results are; use types "
                       "that JSON keeps", at=info.Options)


def identity(subject: CodecSubject) -> None:
    """The identity is one line that stays the same from call to call and from process to process."""
    method = subject.info.identity
    try:
        first, second = (method(subject.options) for _ in range(2))
    except Exception as error:
        subject.raised("identity", error, "return one line of text; what is missing is for `unavailable` to say")
    if not isinstance(first, str) or not first.strip() or len(first.splitlines()) > 1:
        subject.breach(f"identity must be one line of text, got {first!r}; return plugin and library versions",
                       at=method)
    remedy = "name versions and digests only"
    if first != second:
        subject.breach(f"identity changes from call to call: {first!r}, then {second!r}; {remedy}", at=method)
    there = subject.scene.identity if subject.scene else None
    if there is not None and there != first:
        subject.breach(f"identity differs between two processes: {there!r} and {first!r}; {remedy}", at=method)


def axis_values(subject: CodecSubject) -> None:
    """The axis is a QualityAxis whose values rise or fall, exactly where lossless is not declared."""
    method = subject.info.axis
    try:
        axis: Any = method(subject.options)
    except Exception as error:
        subject.raised("axis", error, "return a QualityAxis, or None for a lossless codec")
    if axis is not None and not isinstance(axis, QualityAxis):
        subject.breach(f"axis must give a QualityAxis or None, got {type(axis).__name__}; return QualityAxis(name, "
                       "values, minimum, maximum)", at=method)
    if (axis is None) != subject.info.capabilities.lossless:
        subject.breach("a codec has either capabilities.lossless or a quality axis, never both and never neither; "
                       + ("declare lossless=True or return an axis" if axis is None else
                          "return None from axis or declare lossless=False"), at=method)  # fmt: skip
    if axis is None:
        return
    steps = [after - before for before, after in pairwise(axis.values)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        subject.breach(f"the values of the axis must rise, or all fall, got {axis.values}; sort them and name each "
                       "once", at=method)
