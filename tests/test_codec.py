"""What a plugin author writes for a codec: facts as arguments or on the class, and a codec whose input is checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from benchbox.codec import Capabilities, CheckedCodec, Codec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CodecUnavailableError, PluginError, QualityError, UnsupportedImageError
from benchbox.image import Image

AXIS = QualityAxis("bits", (1, 2, 4), minimum=1, maximum=8, integer=True)
GRAY = np.zeros((4, 5, 1), np.uint8)
RGB = np.zeros((4, 5, 3), np.uint8)


class Options(OptionsModel):
    level: int = 3


class Echo(CheckedCodec):
    """Its streams say what `compress` was given."""

    def compress(self, image: Image, quality: float) -> bytes:
        return f"{quality!r} {self.options.level} {self.device}".encode()

    def decode(self, data: bytes) -> Image:
        return RGB


class Info(CodecInfo):
    def identity(self, options: Any) -> str:
        return "1"


class Stated(Info):
    """Every fact on the class, without a decorator."""

    id = "stated"
    title = "Stated"
    Options = Options
    capabilities = Capabilities(channels=frozenset({3}))
    suffix = ".st"
    quality = AXIS
    codec_class = Echo


@dataclass(frozen=True)
class Derived(Stated):
    """A subclass with a decorator, a fact of its own and a field of its own."""

    suffix = ".de"
    library: str = "none"


def opened(info: CodecInfo) -> Codec:
    return info.open(info.parse_options({}), "cpu")


def facts(info: CodecInfo) -> tuple[Any, ...]:
    return (info.id, info.title, info.Options, info.capabilities, info.suffix, info.quality, info.codec_class)


# What is known of a codec


def test_facts_are_arguments() -> None:
    info = Info("mine", "Mine", Options, Capabilities(lossless=True), ".mi", None, Echo)
    assert facts(info) == ("mine", "Mine", Options, Capabilities(lossless=True), ".mi", None, Echo)


def test_facts_that_nobody_states_have_defaults() -> None:
    info = Info(id="mine", title="Mine")
    assert facts(info) == ("mine", "Mine", OptionsModel, Capabilities(), "", None, None)
    assert info.axis(info.parse_options({})) is None


def test_facts_on_the_class_are_honoured() -> None:
    stated = ("stated", "Stated", Options, Capabilities(channels=frozenset({3})), ".st", AXIS, Echo)
    assert facts(Stated()) == stated
    assert facts(Derived(library="zlib")) == (*stated[:4], ".de", *stated[5:])
    assert Derived(library="zlib").library == "zlib"


def test_an_argument_goes_before_the_class() -> None:
    info = Stated("other", suffix="", quality=None, capabilities=Capabilities())
    assert facts(info) == ("other", "Stated", Options, Capabilities(), "", None, Echo)


def test_copies_keep_the_facts() -> None:
    info = Derived(library="zlib", suffix="")
    copy: CodecInfo = replace(info, id="copy")
    assert copy.suffix == ""
    assert copy == replace(info, id="copy") != info


@pytest.mark.parametrize("values", [{}, {"id": "a"}, {"title": "A"}])
def test_id_and_title_must_be_stated(values: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match=r"^Info has no (id|title|id and no title); give (it|them) as arg"):
        Info(**values)


def test_a_codec_that_nobody_can_open_is_named() -> None:
    with pytest.raises(PluginError, match=r"^mine .*: class Info has no codec_class; .* \(test_codec.py:\d+\)$"):
        opened(Info(id="mine", title="Mine"))


# What `encode` checks


def test_open_makes_the_codec_from_info_options_and_device() -> None:
    info = Stated()
    codec = info.open(info.parse_options({"level": 7}), "cuda:1")
    assert codec.encode(RGB, 4) == b"4.0 7 cuda:1"


def test_a_lossless_codec_is_given_the_quality_0() -> None:
    codec = opened(Stated(quality=None))
    assert codec.encode(RGB, None) == b"0.0 3 cpu"
    with pytest.raises(QualityError, match=r"^stated: a lossless codec takes no quality, got 3$"):
        codec.encode(RGB, 3)


@pytest.mark.parametrize(("quality", "message"), [
    (None, "needs a bits of 1 to 8"), (9, "bits 9 is out of range; take 1 to 8"), (0, "bits 0 is out of range"),
    (float("nan"), "bits nan is out of range"), (1.5, r"bits 1\.5 is not a whole number"),
])  # fmt: skip
def test_qualities_off_the_axis_are_refused(quality: float | None, message: str) -> None:
    with pytest.raises(QualityError, match=f"^stated: {message}"):
        opened(Stated()).encode(RGB, quality)


def test_pictures_that_are_not_declared_are_refused() -> None:
    with pytest.raises(UnsupportedImageError, match=r"^stated: gray pictures are not supported$"):
        opened(Stated()).encode(GRAY, 4)


def test_a_codec_may_refuse_more() -> None:
    class Picky(Echo):
        def refusal(self, image: Image, quality: float) -> str | None:
            return super().refusal(image, quality) or ("too coarse" if quality < 2 else None)

    codec = opened(Stated(codec_class=Picky))
    assert codec.encode(RGB, 2) == b"2.0 3 cpu"
    with pytest.raises(UnsupportedImageError, match=r"^stated: too coarse$"):
        codec.encode(RGB, 1)
    with pytest.raises(UnsupportedImageError, match=r"^stated: gray pictures"):
        codec.encode(GRAY, 2)


def test_an_unavailable_codec_is_not_opened() -> None:
    class Absent(Stated):
        def unavailable(self) -> str | None:
            return "echo is not installed; run: pip install echo"

    with pytest.raises(CodecUnavailableError, match=r"^stated: echo is not installed; run: pip install echo$"):
        opened(Absent())
