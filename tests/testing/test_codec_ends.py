"""The kit tries both ends of an axis, beyond the default sweep, on flat, noisy and narrow pictures."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from benchbox import testing
from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import PluginError, UnsupportedImageError
from benchbox.image import Image


class Tuned(OptionsModel):
    """A choice, one of whose values fails at the end of the axis."""

    tune: Literal["sound", "short"] = "sound"


class Deflate(CheckedCodec):
    """Keeps as many levels as the quality says; `fault` refuses some pictures at some qualities."""

    def __init__(self, info: Any, options: Any, device: str, fault: Callable[[Image, float, str], None]) -> None:
        super().__init__(info, options, device)
        self.fault = fault

    def compress(self, image: Image, quality: float) -> bytes:
        self.fault(image, quality, self.options.tune)
        step = 256 / (quality or 256)
        body = zlib.compress(np.asarray(np.rint(image / step), dtype=np.uint16).tobytes())
        return b"DFL" + np.array([*image.shape, int(quality)], "<u4").tobytes() + body

    def decode(self, data: bytes) -> Image:
        *shape, quality = (int(n) for n in np.frombuffer(data[3:19], "<u4"))
        coded = np.frombuffer(zlib.decompress(data[19:]), np.uint16).reshape(shape)
        return np.asarray(np.clip(np.rint(coded * (256 / (quality or 256))), 0, 255), dtype=np.uint8)


class Info(CodecInfo):
    """Opens `Deflate` with a fault."""

    id = "deflate"
    title = "Deflate"
    Options = Tuned

    def identity(self, options: Any) -> str:
        return "deflate 1"


def ends(fault: Callable[[Image, float, str], None], lossless: bool = False) -> None:
    """Run the checks of ends and of option choices."""
    axis = None if lossless else QualityAxis("levels", (4, 8, 16), 2, 128, integer=True)
    info = Info(capabilities=Capabilities(channels=frozenset({1, 3, 4}), lossless=lossless), quality=axis,
                codec_class=lambda info, options, device: Deflate(info, options, device, fault))  # fmt: skip
    for check in testing.codec_checks(info):
        if check.name in ("tempting_pictures", "axis_ends", "option_choices"):
            check()


def fails(when: bool, error: type[Exception] = ValueError) -> None:
    if when:
        raise error("buffer too small")


@pytest.mark.parametrize("lossless", [False, True])
def test_a_codec_that_encodes_everywhere_passes(lossless: bool) -> None:
    ends(lambda image, quality, tune: None, lossless)


@pytest.mark.parametrize(("fault", "named"), [
    (lambda image, quality, tune: fails(quality == 128), "at 128"),
    (lambda image, quality, tune: fails(quality == 2), "at 2"),
    (lambda image, quality, tune: fails(quality == 128 and tune == "short"), "option_choices"),
    (lambda image, quality, tune: fails(quality == 128 and np.ptp(image) == 255), "noise"),
    (lambda image, quality, tune: fails(quality == 2 and np.ptp(image[:, :, 0]) == 0), "flat"),
    (lambda image, quality, tune: fails(quality == 2 and image.shape[0] == 1), "one row"),
    (lambda image, quality, tune: fails(quality == 128 and image.shape[1] == 1), "one column"),
    (lambda image, quality, tune: fails(quality == 128, UnsupportedImageError), "declare no more"),
])  # fmt: skip
def test_an_end_that_fails_is_found(fault: Callable[[Image, float, str], None], named: str) -> None:
    with pytest.raises(PluginError, match=named):
        ends(fault)


def test_a_lossless_codec_that_fails_on_noise_is_found() -> None:
    with pytest.raises(PluginError, match="noise"):
        ends(lambda image, quality, tune: fails(image.std() > 72 and image.size > 100), lossless=True)


def test_noise_may_be_refused_with_a_reason() -> None:
    ends(lambda image, quality, tune: fails(image.std() > 72 and quality == 128, UnsupportedImageError))
