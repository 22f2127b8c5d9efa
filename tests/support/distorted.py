"""Pictures with errors, to be scored."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as PillowImage

from benchbox.image import Image


def jpeg(pixels: Image, quality: int) -> Image:
    """`pixels` after JPEG; gray stays gray."""
    file = io.BytesIO()
    gray = pixels.shape[2] == 1
    PillowImage.fromarray(pixels[:, :, 0] if gray else pixels).save(file, "JPEG", quality=quality)
    decoded = np.asarray(PillowImage.open(file))
    return np.ascontiguousarray(decoded[:, :, None] if gray else decoded)


def noisy(pixels: Image, sigma: float, seed: int = 0) -> Image:
    """`pixels` with Gaussian noise of `sigma` levels."""
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def sixteen(pixels: Image) -> Image:
    """The 16-bit copy of an 8-bit picture."""
    return np.asarray(pixels.astype(np.uint16) * 257, dtype=np.uint16)
