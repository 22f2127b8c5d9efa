"""The memory that the kernels of MS-SSIM work in; see `ms_ssim_kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HALO = 10  # an 11-tap window reads 5 samples on each side
STRIP = 128
BLOCK = 16
SLACK = 32  # samples that a line has beyond its strip: the HALO of three channels, rounded up to whole vectors


def stride(width: int, channels: int) -> int:
    """Samples from one row of a coarser scale to the next: no row is shorter than a strip and its halo."""
    return max(width * channels, STRIP + HALO * channels)


def maps(height: int, width: int, channels: int) -> NDArray[np.float32]:
    """Memory for `moments` of `height` rows of `width` pixels."""
    strips = -(-(width - HALO) * channels // STRIP)
    return np.empty((height - HALO) * strips * 2 * STRIP, np.float32)


def scratch(dtype: type[np.floating[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Line and buffer for `losses` (float32) and `moments` (float64)."""
    return np.zeros(3 * (STRIP + SLACK), dtype), np.zeros(3 * (BLOCK + HALO) * STRIP, dtype)
