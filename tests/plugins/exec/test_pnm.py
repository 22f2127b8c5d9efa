"""PGM and PPM files, which command-line codecs read and write."""

from __future__ import annotations

import numpy as np
import pytest
from benchbox_exec import pnm
from hypothesis import given
from hypothesis import strategies as st

from benchbox import testing
from benchbox.errors import CorruptImageError


@given(height=st.integers(1, 9), width=st.integers(1, 9), channels=st.sampled_from([1, 3]),
       bits=st.sampled_from([8, 16]), comment=st.booleans())
def test_pnm_round_trip(height: int, width: int, channels: int, bits: int, comment: bool) -> None:
    pixels = testing.picture(height, width, channels, bits)
    data = pnm.write(pixels)
    if comment:
        data = data.replace(b"\n", b"\n# a comment 12 34\n", 1)
    back = pnm.read(data)
    assert back.dtype == pixels.dtype
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize("data", [
    b"", b"P6", b"P3\n1 1\n255\n1 2 3", b"P6\n1 1\n100\nabc", b"P6\n2 2\n255\nabc", b"P5\n1 1\n255\nab",
    b"P6\n999999999 999999999\n255\n", b"P6\n0 5\n255\n",
])  # fmt: skip
def test_bad_pnm(data: bytes) -> None:
    with pytest.raises(CorruptImageError):
        pnm.read(data)
