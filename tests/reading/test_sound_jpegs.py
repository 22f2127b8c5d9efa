"""A sound JPEG is never called damaged, however flat its pictures are: their coded data hold long runs of zeros, and
bits that no pixel shows, as white and black cut them off."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

from benchbox.image import read
from benchbox.reading import jpeg

HEIGHT, WIDTH = 150, 203
WAYS: tuple[dict[str, Any], ...] = ({}, {"optimize": True}, {"progressive": True}, {"optimize": True,
    "restart_marker_rows": 2}, {"progressive": True, "restart_marker_blocks": 7})  # fmt: skip
PAPER = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128), "blue": (30, 60, 200)}


def screenshot(background: str, ink: str) -> NDArray[np.uint8]:
    picture = PillowImage.new("RGB", (WIDTH, HEIGHT), background)
    draw = ImageDraw.Draw(picture)
    for row in range(5, 90, 20):
        draw.text((9, row), f"line {row} of text", fill=ink)
    draw.rectangle([120, 20, 180, 60], fill=(20, 130, 70))
    return np.array(picture)


def framed(paper: tuple[int, int, int], photo: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = np.full((HEIGHT, WIDTH, 3), paper, np.uint8)
    pixels[30:90, 50:140] = photo[:60, :90, :3]
    return pixels


def pictures(photo: NDArray[Any]) -> dict[str, NDArray[np.uint8]]:
    ramp = np.broadcast_to(np.linspace(0, 255, WIDTH).astype(np.uint8)[None, :, None], (HEIGHT, WIDTH, 3))
    flat = {name: np.full((HEIGHT, WIDTH, 3), colour, np.uint8) for name, colour in PAPER.items()}
    photos = {f"photo on {name}": framed(colour, photo) for name, colour in PAPER.items()}
    return {**flat, **photos, "ramp": ramp.copy(), "fall": ramp[:, ::-1].copy(),
            "screen": screenshot("white", "black"), "dark screen": screenshot("#141418", "#e6e6e6")}  # fmt: skip


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_flat_pictures_in_every_way(mode: str, photo: NDArray[Any]) -> None:
    """As they are, with zeros before the end marker, and with anything after it."""
    for (name, pixels), ways, quality in itertools.product(pictures(photo).items(), WAYS, (75, 95)):
        file = io.BytesIO()
        PillowImage.fromarray(pixels).convert(mode).save(file, "JPEG", quality=quality, **ways)
        data = file.getvalue()
        tail = data if quality == 75 else b""
        for variant in (data + tail, data[:-2] + bytes(200) + data[-2:] + tail):
            assert jpeg.fault(variant) == "", (name, ways, quality)


@pytest.mark.parametrize("inset", [False, True])
def test_a_large_white_picture(inset: bool, photo: NDArray[Any], tmp_path: Path) -> None:
    pixels = np.full((800, 1000, 3), 255, np.uint8)
    if inset:
        pixels[200:456, 200:584] = np.tile(photo, (2, 2, 1))[:256, :384, :3]
    PillowImage.fromarray(pixels).save(tmp_path / "a.jpg", quality=95, progressive=True, subsampling=2)
    assert read(tmp_path / "a.jpg").pixels.shape == (800, 1000, 3)
