"""The kit's rules for a codec find what they are there to find: each test gives them a codec with one fault."""

from __future__ import annotations

import numpy as np
import pytest
from faulty_codecs import (
    ALL_KINDS,
    LOSSLESS,
    Boastful,
    Bytearrays,
    CannotClose,
    DropsAlpha,
    FailsAtItsEnd,
    FailsOnNine,
    FailsWhenTiny,
    FailsWithAChoice,
    FallsAtEight,
    Fragile,
    Narrows,
    NeedsItself,
    OffByOne,
    OneBuffer,
    OtherBatch,
    ReadOnly,
    RefusesGray,
    Remembers,
    SwapsChannels,
    TakesAnything,
    TakesNoQuality,
    TakesUnknownOptions,
    Trusting,
    Unreliable,
    WritesIntoInput,
    sound,
)

from benchbox import testing
from benchbox.codec import Capabilities, CodecInfo
from benchbox.errors import PluginError


@pytest.mark.parametrize("capabilities", [ALL_KINDS, LOSSLESS], ids=["lossy", "lossless"])
def test_sound_codec_passes(capabilities: Capabilities) -> None:
    testing.check_codec(sound(capabilities=capabilities))


FAULTS: list[tuple[str, CodecInfo, str]] = [
    ("names", sound(id="Sound Codec"), "lower-case"),
    ("names", sound(title="two\nlines"), "one line"),
    ("options", TakesUnknownOptions("sound", "Sound"), "accepts an unknown option"),
    ("identity", Unreliable("sound", "Sound"), "changes from call to call"),
    ("declarations", sound(capabilities=Capabilities(channels=frozenset({2}))), "must be a frozenset of some of 1, 3"),
    ("axis_values", sound(values=(2, 8, 4)), "must rise, or all fall"),
    ("opens", sound(make=lambda lossless: None), "open gave a NoneType"),
    ("opens", sound(make=CannotClose), "close raised RuntimeError: busy"),
    ("opens", sound(make=TakesNoQuality), "it must take (image, quality)"),
    ("types", sound(make=Bytearrays), "non-empty bytes, got bytearray"),
    ("own_array", sound(make=ReadOnly), "read-only array"),
    ("own_array", sound(make=OneBuffer), "changed the picture that it gave before"),
    ("axis", sound(make=FallsAtEight), "sizes must rise along the axis"),
    ("axis", sound(make=SwapsChannels), "below 20 dB"),
    ("declared_kinds", sound(make=RefusesGray), "declares 1 channels but refuses every"),
    ("undeclared_kinds", sound(make=DropsAlpha, capabilities=Boastful(channels=frozenset({1}))), "undeclared RGBA"),
    ("option_choices", FailsWithAChoice("sound", "Sound", Options=Fragile), "mode=bad at quality 16 a picture went"),
    ("axis_ends", sound(make=FailsAtItsEnd), "photograph at 65535, encode raised ValueError"),
    ("round_trip", sound(make=FailsWhenTiny), "encode raised ValueError: no whole block"),
    ("declared_kinds", sound(make=DropsAlpha), "and came back as"),
    ("tempting_pictures", sound(make=Narrows), "RGB picture without colour"),
    ("types", sound(make=OffByOne, capabilities=LOSSLESS), "changed in 1 pixels though lossless"),
    ("deterministic", sound(make=Remembers), "different bytes"),
    ("fresh_decoder", sound(make=NeedsItself), "newly opened codec decodes a stream to other pixels"),
    ("input_untouched", sound(make=WritesIntoInput), "changed the picture"),
    ("batch", sound(make=OtherBatch), "encode_batch gives other bytes"),
    ("damage", sound(make=Trusting), "raise CorruptBitstream for"),
    ("damage", sound(make=TakesAnything), "decode accepts empty bytes"),
]


@pytest.mark.parametrize(("name", "info", "sentence"), FAULTS, ids=[f"{fault[0]}-{fault[2]}" for fault in FAULTS])
def test_faulty_codec_is_found(name: str, info: CodecInfo, sentence: str) -> None:
    check = next(check for check in testing.codec_checks(info) if check.name == name)
    with pytest.raises(PluginError) as caught:
        check()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_codec_check_has_a_fault_that_it_finds() -> None:
    """Those that need a process of the codec's own are held by the gallery."""
    checks = testing.codec_checks(sound())
    apart = {check.name for check in checks if "no other process" in check.outcome().line}
    assert {check.name for check in checks} - apart == {fault[0] for fault in FAULTS}
    assert apart == {"surroundings", "threads", "leftovers", "import_time", "other_process"}


def test_check_codec_lists_every_breach() -> None:
    with pytest.raises(PluginError) as caught:
        testing.check_codec(sound(title="", make=DropsAlpha))
    lines = str(caught.value).splitlines()
    assert any("title" in line for line in lines)
    assert any("came back as" in line for line in lines)


def test_own_pictures_are_tried() -> None:
    odd = np.full((5, 7, 1), 9, np.uint8)
    checks = testing.codec_checks(sound(make=FailsOnNine), images={"mine": odd})
    check = next(check for check in checks if check.name == "round_trip")
    with pytest.raises(PluginError, match="given mine, encode raised ValueError"):
        check()
