"""Pictures for the screen: reduced to 8 bits, and as thumbnails inside the page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from benchbox import curves
from benchbox.errors import BenchboxError
from benchbox.image import Image, peak
from benchbox.report import Results

SIDE = 112
"""Longest side of a thumbnail in pixels: twice what the page shows, for screens of twice the density."""
QUALITY = 60
"""WebP quality of a thumbnail: about 2 kB for a photograph."""


def thumbnails(results: Results, most: int) -> dict[tuple[str, str], str]:
    """(data set, picture) -> ``data:`` URI of its thumbnail, for the first `most` pictures. A picture that cannot be
    loaded any more has none."""
    if results.original is None or most < 1:
        return {}
    frame = results.frame[curves.went_through(results.frame)]
    pictures = frame.drop_duplicates(["dataset", "sample"])[["dataset", "sample", "key"]]
    small: dict[tuple[str, str], str] = {}
    for dataset, sample, key in pictures.head(most).itertuples(index=False):
        try:
            small[str(dataset), str(sample)] = data_uri(results.original(str(key)))
        except (BenchboxError, OSError):
            continue
    return small


def to_8bit(pixels: Image) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) for a screen: 16 bits rounded to 8, gray repeated to RGB."""
    eight = np.round(pixels * (255 / peak(pixels))).astype(np.uint8)
    return np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight


def data_uri(pixels: Image) -> str:
    """A picture, reduced to at most `SIDE` pixels in width and height, as a ``data:`` URI of a WebP."""
    picture = PillowImage.fromarray(to_8bit(pixels))
    picture.thumbnail((SIDE, SIDE), PillowImage.Resampling.BOX)
    file = BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + b64encode(file.getvalue()).decode("ascii")
