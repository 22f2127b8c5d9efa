"""The inner loop of PSNR, compiled by numba. Importing this module costs numba's import (0.3-0.5 s)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox_metrics.compiled import compiled

_BLOCK = np.uintp(1 << 15)
"""Samples whose squared differences in 8 bits have a sum that uint32 holds: 2**15 * 255**2 < 2**32."""


@compiled
def squared_error(a: NDArray[Any], b: NDArray[Any]) -> int:
    """The sum of squared differences of two flat arrays, both uint8 or both uint16, exactly."""
    total = np.uint64(0)
    size = np.uintp(a.size)
    if a.itemsize == 1:
        for start in range(np.uintp(0), size, _BLOCK):
            part = np.uint32(0)
            for i in range(start, min(start + _BLOCK, size)):
                difference = np.int32(a[i]) - np.int32(b[i])
                part += np.uint32(difference * difference)
            total += np.uint64(part)
    else:
        for i in range(size):
            wide = np.int64(a[i]) - np.int64(b[i])
            total += np.uint64(wide * wide)
    return total  # type: ignore[return-value]  # an int outside compiled code
