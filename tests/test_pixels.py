"""The pixel contract: what an array must be, its digest, its composition over a background."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchbox import testing
from benchbox.errors import ImageError
from benchbox.image import check, composite, digest, peak, same


def test_digest_is_what_its_docstring_says() -> None:
    pixels = np.array([[[1], [2]], [[3], [65535]]], np.uint16)
    expected = hashlib.sha256(b"benchbox pixels 1 2x2x1 uint16\n\x01\0\x02\0\x03\0\xff\xff").hexdigest()
    assert digest(pixels) == expected
    assert digest(pixels.astype(">u2")) == expected
    assert digest(np.zeros((1, 2, 1), np.uint8)) != digest(np.zeros((2, 1, 1), np.uint8))
    assert digest(testing.picture(9, 8, 3, 8)[:, ::-1]) == digest(testing.picture(9, 8, 3, 8)[:, ::-1].copy())


@pytest.mark.parametrize(("pixels", "message"), [
    ([[1]], "expected a numpy array"),
    (np.zeros((2, 2, 3)), "dtype float64"),
    (np.zeros((2, 2), np.uint8), r"shape \(2, 2\)"),
    (np.zeros((2, 2, 2), np.uint8), r"shape \(2, 2, 2\)"),
    (np.zeros((0, 2, 3), np.uint8), r"shape \(0, 2, 3\)"),
])
def test_check_names_the_breach(pixels: Any, message: str) -> None:
    with pytest.raises(ImageError, match=f"^mine: .*{message}"):
        check(pixels, "mine")


def test_check_makes_contiguous() -> None:
    turned = testing.picture(9, 8, 3, 8)[:, ::-1]
    assert check(turned, "mine").flags.c_contiguous


@pytest.mark.parametrize("bits", [8, 16])
def test_composite_rounds_to_nearest(bits: int) -> None:
    pixels = testing.noise(40, 40, 4, bits)
    top = peak(pixels)
    for background in (0, top, top // 3):
        alpha = pixels[:, :, 3:].astype(np.float64) / top
        exact = pixels[:, :, :3] * alpha + background * (1 - alpha)
        assert np.abs(composite(pixels, background) - exact).max() <= 0.5 + 1e-9


@given(width=some.integers(1, 90), channels=some.sampled_from([1, 3, 4]), bits=some.sampled_from([8, 16]),
       place=some.floats(0, 1, exclude_max=True))  # fmt: skip
def test_pictures_are_the_same_in_every_sample_or_not_at_all(width: int, channels: int, bits: int, place: float
                                                             ) -> None:  # fmt: skip
    pixels = testing.noise(width, 37, channels, bits)
    other = pixels.copy()
    assert same(pixels, other)
    assert same(pixels, np.asfortranarray(other))
    other.reshape(-1)[int(place * other.size)] ^= 1
    assert not same(pixels, other)
    assert not same(pixels, pixels.astype(np.uint16 if bits == 8 else np.uint8))
    assert not same(pixels, pixels[1:])
