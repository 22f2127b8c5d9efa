"""The inner loop of PSNR, as `machine_code` has numba compile it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchbox_metrics.compiled import widest_vectors

_BLOCK = np.uintp(1 << 15)
"""Samples whose squared differences in 8 bits have a sum that uint32 holds: 2**15 * 255**2 < 2**32."""


def squared_error(item: int) -> Callable[..., None]:
    """The kernel for samples of `item` bytes, 1 or 2."""

    def kernel(a: Any, b: Any, size: Any, out: Any) -> None:
        """out[0] becomes the sum of squared differences of the first `size` samples of `a` and `b`, exactly."""
        widest_vectors()
        total = np.uint64(0)
        if item == 1:
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
        out[0] = total

    return kernel
