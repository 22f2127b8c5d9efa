"""Pictures for the screen: reduced to 8 bits, and as thumbnails inside the page."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
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
_SAMPLES = 1 << 20
"""Samples of 16 bits that are reduced to 8 at a time."""


def thumbnails(results: Results, most: int) -> dict[tuple[str, str], str]:
    """(data set, picture) -> ``data:`` URI of its thumbnail, for the first `most` pictures. A picture that cannot be
    loaded any more has none."""
    if results.original is None or most < 1:
        return {}
    ok = curves.went_through(results.frame)
    pictures = results.frame.loc[ok, ["dataset", "sample", "key"]].drop_duplicates(["dataset", "sample"])
    small: dict[tuple[str, str], str] = {}
    for dataset, sample, key in pictures.head(most).itertuples(index=False):
        try:
            small[str(dataset), str(sample)] = data_uri(results.original(str(key)))
        except (BenchboxError, OSError):
            continue
    return small


def picture_tags(frame: pd.DataFrame, dataset: str, pictures: Sequence[str]) -> list[list[str]]:
    """What readers can choose pictures by, for each of `pictures`: portrait, landscape or square; gray or with alpha;
    more than 8 bits; the folder of its name. A tag that all or none of them have is left out."""
    own = frame.loc[(frame["dataset"] == dataset).to_numpy(dtype=bool),
                    ["sample", "width", "height", "channels", "bit_depth"]]
    rows = own.drop_duplicates("sample").set_index("sample")
    found = [_tags(name, row) for name, row in zip(pictures, rows.loc[list(pictures)].to_dict("records"), strict=True)]
    counts = Counter(tag for tags in found for tag in tags)
    return [[tag for tag in tags if counts[tag] < len(pictures)] for tags in found]


def _tags(name: str, row: Mapping[Any, Any]) -> list[str]:
    tags = [f"in {name.rpartition('/')[0]}"] if "/" in name else []
    width, height = row["width"], row["height"]
    if pd.notna(width) and pd.notna(height):
        tags.append("landscape" if width > height else "portrait" if width < height else "square")
    if pd.notna(row["channels"]):
        tags += {1: ["gray"], 4: ["with alpha"]}.get(int(row["channels"]), [])
    if pd.notna(row["bit_depth"]) and int(row["bit_depth"]) > 8:
        tags.append("of more than 8 bits")
    return tags


def to_8bit(pixels: Image) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) for a screen: 16 bits rounded to 8, gray repeated to RGB."""
    eight = _eight(pixels)
    return np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight


def _eight(pixels: Image) -> NDArray[np.uint8]:
    """(H, W, C) in 8 bits, a few rows at a time: as floats a picture of 100 megapixels takes gigabytes."""
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    eight = np.empty(pixels.shape, np.uint8)
    rows = max(1, _SAMPLES // pixels[0].size)
    for start in range(0, len(pixels), rows):
        part = slice(start, start + rows)
        eight[part] = np.round(pixels[part] * (255 / peak(pixels)))
    return eight


def data_uri(pixels: Image) -> str:
    """A picture, reduced to at most `SIDE` pixels in width and height, as a ``data:`` URI of a WebP."""
    eight = _eight(pixels)
    picture = PillowImage.fromarray(eight[:, :, 0] if eight.shape[2] == 1 else eight)
    picture.thumbnail((SIDE, SIDE), PillowImage.Resampling.BOX)
    picture = picture.convert("RGB") if picture.mode == "L" else picture
    file = BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + b64encode(file.getvalue()).decode("ascii")
