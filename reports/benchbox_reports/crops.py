"""A grid of crops for papers: one part of a picture as several codecs decode it; codec, bpp and PSNR below each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import UsageError
from benchbox_reports.figures.sheet import PAGE, blank, save, styled, wrapped

SIDE = 128
"""Longest side of a crop in pixels, unless the reader says otherwise."""
FORMATS = ("png", "pdf", "svg")


@dataclass(frozen=True)
class Crop:
    """What the option ``crop`` asks for: the place of a picture among those shown, and the corner and size of the part
    in pixels of the stored picture."""

    picture: int
    x: int
    y: int
    width: int
    height: int


def parse_crop(text: str) -> Crop | None:
    """The option ``crop``, ``"PICTURE,X,Y,WIDTH,HEIGHT"``; None for "".

    Raises:
        UsageError: `text` is not five whole numbers, or the part has no size.
    """
    if not text:
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 5 or min(numbers) < 0 or min(numbers[3:]) < 1:
        raise UsageError(f"crop={text}: write PICTURE,X,Y,WIDTH,HEIGHT as whole numbers, e.g. crop=0,100,80,128,128")
    return Crop(*numbers)


def busiest(original: NDArray[np.uint8], decoded: Sequence[NDArray[np.uint8]]) -> tuple[int, int]:
    """(x, y) of the corner of the part, at most SIDE wide and high, in which the codecs differ most from the picture:
    the one with the largest sum of squared errors, of those that lie a quarter of SIDE apart."""
    errors = sum(((original.astype(np.float64) - one) ** 2).sum(axis=2) for one in decoded)
    total = np.pad(np.cumsum(np.cumsum(np.asarray(errors), axis=0), axis=1), ((1, 0), (1, 0)))
    height, width = original.shape[:2]
    high, wide = min(SIDE, height), min(SIDE, width)
    step = SIDE // 4
    places = [(y, x) for y in range(0, height - high + 1, step) for x in range(0, width - wide + 1, step)]
    y, x = max(places, key=lambda p: total[p[0] + high, p[1] + wide] - total[p[0], p[1] + wide]
               - total[p[0] + high, p[1]] + total[p[0], p[1]])
    return x, y


def write_crops(
    stem: Path, panels: Sequence[tuple[str, str, NDArray[np.uint8]]], box: tuple[int, int, int, int]
) -> list[Path]:
    """Write the parts `box` (x, y, width, height) of pictures side by side, two columns of a paper wide, in each of
    `FORMATS`; every pixel is a square, none is blended.

    Args:
        stem: path of the files without suffix.
        panels: (name, facts, (H, W, 3 or 4) uint8 pixels) of each, the original first.
        box: the part; what lies outside the picture is cut off.
    """
    x, y, width, height = box
    parts = [(name, facts, pixels[y : y + height, x : x + width, :3]) for name, facts, pixels in panels]
    if not parts or not all(part.size for _, _, part in parts):
        raise UsageError(f"crop: the part at {x},{y} lies outside the picture")
    each = PAGE / len(parts)
    with styled(stem.name):
        figure = blank(PAGE, each * parts[0][2].shape[0] / parts[0][2].shape[1] + 0.45)
        for axes, (name, facts, part) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
            axes.imshow(part, interpolation="nearest")
            axes.set(xticks=[], yticks=[], xlabel=f"{wrapped(name, int(each * 15))}\n{facts}")
            axes.spines[:].set_visible(False)
        return [save(figure, stem.with_suffix(f".{form}")) for form in FORMATS]
