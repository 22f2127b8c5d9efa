"""A large picture is read strip by strip: the same pixels, and never twice in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from benchbox import testing
from benchbox.image import read, write_png

WIDTH, HEIGHT = 1501, 1409  # two strips and a rest


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_strips_are_put_together_in_order(tmp_path: Path, channels: int) -> None:
    pixels = testing.picture(HEIGHT, WIDTH, channels, 8)
    write_png(tmp_path / "large.png", pixels)
    np.testing.assert_array_equal(read(tmp_path / "large.png").pixels, pixels)


def test_a_large_picture_of_a_palette_or_of_gray_with_alpha(tmp_path: Path) -> None:
    gray = testing.picture(HEIGHT, WIDTH, 1, 8)[:, :, 0]
    alpha = np.where(gray > 9, 255, gray)
    PillowImage.merge("LA", [PillowImage.fromarray(part) for part in (gray, alpha)]).save(tmp_path / "la.png")
    np.testing.assert_array_equal(read(tmp_path / "la.png").pixels, np.stack([gray, gray, gray, alpha], axis=2))
    palette = PillowImage.fromarray(gray).quantize(17)
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read(tmp_path / "p.png").pixels, np.asarray(palette.convert("RGB")))


def test_python_holds_a_large_picture_once(tmp_path: Path) -> None:
    pixels = np.zeros((3000, 4000, 3), np.uint8)
    pixels[::7] = 9
    write_png(tmp_path / "large.png", pixels)
    tracemalloc.start()
    try:
        read(tmp_path / "large.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * pixels.nbytes
