"""The memory that the kernels of MS-SSIM work in; see `ms_ssim_kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HALO = 10  # an 11-tap window reads 5 samples on each side
STRIP = 128
BLOCK = 8
LINE = 64  # bytes of a line of the cache
SLACK = 32  # samples that a line has beyond its strip: the HALO of three channels, rounded up to whole vectors


def stride(width: int, channels: int) -> int:
    """Samples from one row of a coarser scale to the next: no row is shorter than a strip and its halo."""
    return max(width * channels, STRIP + HALO * channels)


def maps(height: int, width: int, channels: int) -> NDArray[np.float32]:
    """Memory for `moments` of `height` rows of `width` pixels."""
    strips = -(-(width - HALO) * channels // STRIP)
    return _aligned((height - HALO) * strips * 2 * STRIP, np.float32)


def scratch(dtype: type[np.floating[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Line and buffer for `losses` (float32) and `moments` (float64)."""
    line, buffer = _aligned(3 * (STRIP + SLACK), dtype), _aligned(3 * (BLOCK + HALO) * STRIP, dtype)
    line[:] = buffer[:] = 0
    return line, buffer


def sums() -> NDArray[np.float32]:
    """Memory for the sums of `losses`: zeros."""
    memory = _aligned(13 * STRIP, np.float32)
    memory[:] = 0
    return memory


def _aligned(size: int, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """Memory for `size` numbers that begins with a line of the cache: a vector of 512 bits is then in one line."""
    item = np.dtype(dtype).itemsize
    memory = np.empty(size + LINE // item, dtype)
    first = -memory.ctypes.data % LINE // item
    return memory[first : first + size]
