"""HEIC beyond the conformance kit."""

from __future__ import annotations

import io
import sys
from typing import Any

import bjontegaard
import numpy as np
import pytest
from benchbox_heif.heic import HEIC

from benchbox import testing
from benchbox.codec import Codec
from benchbox.errors import CodecUnavailableError, CorruptBitstream, OptionError
from benchbox.image import Image


def opened(**options: Any) -> Codec:
    reason = HEIC.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return HEIC.open(HEIC.parse_options(options), "cpu")


@pytest.mark.parametrize("chroma", ["4:2:0", "4:2:2", "4:4:4"])
def test_chroma_is_what_was_asked(chroma: str, photo: Image) -> None:
    import pillow_heif

    data = opened(chroma=chroma, preset="ultrafast").encode(photo, 50)
    assert pillow_heif.open_heif(io.BytesIO(data)).info["chroma"] == int(chroma.replace(":", ""))


def test_saturated_edges_want_full_chroma() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, ::2, 0] = pixels[:, 1::2, 2] = 255
    errors = []
    for chroma in ("4:2:0", "4:4:4"):
        codec = opened(chroma=chroma, preset="ultrafast")
        errors.append(np.mean((codec.decode(codec.encode(pixels, 90)).astype(float) - pixels) ** 2))
    assert errors[0] > 10 * errors[1]


def test_preset_and_tune_reach_x265(photo: Image) -> None:
    streams = {opened(**options).encode(photo, 40)
               for options in ({"preset": "ultrafast"}, {"preset": "medium"}, {"preset": "medium", "tune": "psnr"},
                               {"preset": "medium", "tune": "grain"})}  # fmt: skip
    assert len(streams) == 4


def test_psycho_visual_choices_cost_bits(photo: Image) -> None:
    # libheif leaves them on under its tunes; on Kodak that is 10 % of the bits.
    curves = []
    for psy in (False, True):
        codec = opened(psy=psy, chroma="4:4:4", preset="medium")
        points = []
        for quality in (20, 30, 40, 50, 60):
            data = codec.encode(photo, quality)
            error = np.mean((codec.decode(data).astype(float) - photo) ** 2)
            points.append((len(data), 10 * np.log10(255**2 / error)))
        curves.append(np.array(points).T)
    assert bjontegaard.bd_rate(*curves[1], *curves[0], method="pchip") < -4


def test_decoder_has_one_thread(photo: Image) -> None:
    import pillow_heif

    codec = opened(preset="ultrafast")
    codec.decode(codec.encode(photo, 40))
    assert pillow_heif.options.DECODE_THREADS == 1


def test_gray_comes_back_as_gray_and_opaque_alpha_as_alpha(photo: Image) -> None:
    codec = opened(preset="ultrafast")
    gray = np.ascontiguousarray(photo[:33, :47, 1:2])
    assert codec.decode(codec.encode(gray, 60)).shape == gray.shape
    rgba = np.dstack([photo[:33, :47], np.full((33, 47), 255, np.uint8)])
    assert (codec.decode(codec.encode(rgba, 60))[:, :, 3] == 255).all()


def test_truncations_are_refused() -> None:
    codec = opened(preset="ultrafast")
    data = codec.encode(testing.picture(40, 56, 3, 8), 50)
    for kept in {*range(0, len(data), 17), len(data) - 1}:
        with pytest.raises(CorruptBitstream, match="heic"):
            codec.decode(data[:kept])


def test_identity_names_the_libraries() -> None:
    opened()
    identity = HEIC.identity(HEIC.parse_options({}))
    assert "libheif 1." in identity
    assert "x265" in identity


def test_bad_option() -> None:
    with pytest.raises(OptionError, match="heic: option preset='fastest'"):
        HEIC.parse_options({"preset": "fastest"})


def test_absent_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(CodecUnavailableError, match=r'heic: .*pip install "benchbox\[hevc\]"'):
        HEIC.open(HEIC.parse_options({}), "cpu")
