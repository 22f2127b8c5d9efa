"""Pictures for the conformance kit: a photograph, noise, and pieces of them in any kind and size."""

from __future__ import annotations

from functools import cache

import numpy as np

from benchbox.image import Image

AWKWARD_SIZES = ((1, 1), (1, 17), (2, 2), (15, 17), (64, 1), (63, 65), (33, 128))
"""(height, width) at which codecs fail: odd sizes, below one block, strips, one pixel off a power of two."""


@cache
def photograph() -> Image:
    """A photograph, (192, 256, 3) uint8, read-only: a crop of scikit-image's astronaut (NASA, public domain); where
    scikit-image is absent, a computed scene with edges, shading and grain."""
    try:
        import skimage.data
    except ImportError:
        return _read_only(_scene(192, 256))
    astronaut: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call,unused-ignore]
    return _read_only(np.ascontiguousarray(astronaut[20:212, 100:356]))


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


def _scene(height: int, width: int) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    sky = np.stack([120 + y * 0.4, 150 + y * 0.3, 230 - y * 0.5], axis=2)
    for row, column, radius, colour in ((60, 70, 35, (200, 90, 60)), (120, 180, 55, (60, 120, 50)), (150, 60, 30, 30)):
        inside = np.hypot(y - row, x - column) < radius
        shade = 1 + (x - column) / (3 * radius)
        sky[inside] = (np.broadcast_to(np.asarray(colour, float), (height, width, 3)) * shade[:, :, None])[inside]
    sky += 12 * (np.sin(x / 2.3) * np.sin(y / 3.1) * (y > 100))[:, :, None]
    sky += np.random.default_rng(7).normal(0, 3, sky.shape)
    return np.asarray(np.clip(np.rint(sky), 0, 255), dtype=np.uint8)
