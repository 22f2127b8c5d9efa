"""Default sweeps on Kodak: sizes rise strictly on every picture, over 0.05 to 3 bpp as far as the codec can.

Each picture is a crop from the middle, 384x256, since vvenc needs a minute for a sweep of a whole one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from benchbox_heif.heic import HEIC
from benchbox_imagecodecs import benchbox_codecs
from benchbox_jpegli.jpegli import JPEGLI
from benchbox_mozjpeg.mozjpeg import MOZJPEG
from benchbox_vvc.vvc import VVC

from benchbox.codec import CodecInfo
from benchbox.image import Image, read

QUICK = [info for info in (*benchbox_codecs(), MOZJPEG, JPEGLI)
         if not info.capabilities.lossless and info.id != "jpegxl"]
CODECS = [*QUICK, *(pytest.param(info, marks=pytest.mark.slow) for info in (HEIC, VVC, *benchbox_codecs())
                    if info.id in ("heic", "vvc", "jpegxl"))]


def sweep(info: CodecInfo, pixels: Image) -> list[float]:
    """bpp at each point of the default axis."""
    options = info.parse_options({})
    axis = info.axis(options)
    assert axis is not None
    codec = info.open(options, "cpu")
    return [len(codec.encode(pixels, value)) * 8 / (pixels.shape[0] * pixels.shape[1]) for value in axis.values]


@pytest.mark.parametrize("info", CODECS, ids=lambda info: info.id)
def test_default_sweep(info: CodecInfo, kodak: Path, request: pytest.FixtureRequest) -> None:
    reason = info.unavailable()
    if reason is not None:
        pytest.skip(reason)
    every = 4 if request.node.get_closest_marker("slow") else 1
    curves = []
    for path in sorted(kodak.glob("*.png"))[::every]:
        rates = sweep(info, np.ascontiguousarray(read(path).pixels[128:384, 192:576]))
        assert all(low < high for low, high in pairwise(rates)), (path.name, rates)
        curves.append(rates)
    mean = np.mean(curves, axis=0)
    assert 10 <= len(mean) <= 14
    assert mean[-1] > 2.3
    options = info.parse_options({})
    axis = info.axis(options)
    assert axis is not None
    # The sweep goes down to 0.12 bpp, unless the library goes no lower or lower settings are useless (docs/codecs.md).
    lowest = {"jpegli": axis.values[0] <= 5, "jpegxr": axis.values[0] == axis.minimum, "jpegxl": axis.values[0] == 25,
              "jpegls": axis.values[0] >= 60}
    assert mean[0] < 0.12 or lowest[info.id]
