"""Pictures for the conformance kit: a photograph, noise, and pieces of them in any kind and size."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from benchbox.image import Image

AWKWARD_SIZES = ((1, 1), (1, 17), (2, 2), (15, 17), (64, 1), (63, 65), (33, 128))
"""(height, width) at which codecs fail: odd sizes, below one block, strips, one pixel off a power of two."""


@cache
def photograph() -> Image:
    """A photograph, (192, 256, 3) uint8, read-only: a crop of scikit-image's astronaut (NASA, public domain)."""
    with np.load(Path(__file__).with_name("photograph.npz")) as file:
        pixels: Image = file["pixels"]
    return _read_only(pixels)


def noise(height: int, width: int, channels: int, bits: int, seed: int = 1) -> Image:
    """Uniform noise over the full range, (height, width, channels) of uint8 or uint16."""
    dtype = np.uint16 if bits == 16 else np.uint8
    return np.random.default_rng(seed).integers(0, 1 << bits, (height, width, channels), dtype=dtype)


def picture(height: int, width: int, channels: int, bits: int) -> Image:
    """A piece of the photograph as (height, width, channels) of uint8 or uint16, read-only.

    RGBA has an alpha ramp from 0 up that is nowhere opaque. 16 bits are the 8 bits of the photograph above 8 bits of
    noise.
    """
    source = photograph()
    # From the middle, where the face is; a size above the photograph's repeats it.
    rows, columns = (np.arange(wanted) + max(0, (have - wanted) // 2)
                     for wanted, have in zip((height, width), source.shape, strict=False))
    pixels: Image = source[rows % source.shape[0]][:, columns % source.shape[1]]
    if channels == 1:
        pixels = pixels[:, :, 1:2]
    if channels == 4:
        ramp = np.linspace(0, 254, height * width).astype(np.uint8).reshape(height, width, 1)
        pixels = np.concatenate([pixels, ramp], axis=2)
    if bits == 16:
        low = noise(height, width, channels, 8).astype(np.uint16)
        pixels = np.asarray(pixels.astype(np.uint16) * 256 + low, dtype=np.uint16)
        if channels == 4:
            pixels[:, :, 3] = np.minimum(pixels[:, :, 3], 65000)
    return _read_only(np.ascontiguousarray(pixels))


def _read_only(pixels: Image) -> Image:
    """`pixels`, made read-only as decoded pictures often are: a plugin must not write into its input."""
    pixels.setflags(write=False)
    return pixels
