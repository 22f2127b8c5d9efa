"""Thumbnails: the picture reduced, whatever its depth and channels, without copies of a large one."""

from __future__ import annotations

import tracemalloc
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from benchbox_reports.pictures import SIDE, data_uri, to_8bit
from PIL import Image as PillowImage

from benchbox import testing
from benchbox.image import Image, peak


def thumbnail(pixels: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(PillowImage.open(BytesIO(b64decode(data_uri(pixels).removeprefix("data:image/webp;base64,")))))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_thumbnail_is_the_reduced_picture(channels: int, bits: int) -> None:
    pixels = testing.picture(701, 1013, channels, bits)
    eight = np.round(pixels * (255 / peak(pixels))).astype(np.uint8)
    eight = np.repeat(eight, 3, axis=2) if channels == 1 else eight
    np.testing.assert_array_equal(to_8bit(pixels), eight)
    whole = PillowImage.fromarray(eight)
    whole.thumbnail((SIDE, SIDE), PillowImage.Resampling.BOX)
    small = thumbnail(pixels)
    assert small.shape == np.asarray(whole).shape
    file = BytesIO()
    whole.save(file, "WEBP", quality=60, method=4)
    np.testing.assert_array_equal(small, np.asarray(PillowImage.open(file)))


@pytest.mark.parametrize(("dtype", "times"), [(np.uint8, 0.5), (np.uint16, 1.0)])
def test_a_large_picture_is_not_copied(dtype: type[np.unsignedinteger], times: float) -> None:
    pixels = np.full((3000, 4000, 3), 77, dtype)
    tracemalloc.start()
    try:
        data_uri(pixels)
        top = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert top < times * pixels.nbytes
