"""The loop that halves a scale of MS-SSIM, compiled by numba; `ms_ssim_kernels` says how planes lie, and what lets such
loops be fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox_metrics.compiled import compiled, widest_vectors

Plane: TypeAlias = NDArray[np.integer[Any]]
Index: TypeAlias = Any
"""An np.uintp, as is every index and size in compiled code (numpy's stubs lose its width in arithmetic)."""

_0, _1, _2, _3, _4, _5 = (np.uintp(i) for i in range(6))


@compiled
def halve(fine: Plane, channels: Any, height: Index, width: Index, stride: Index, line: NDArray[np.int32],
          coarse: Plane, coarse_stride: Index) -> None:
    """Sums over 2 x 2 pixels. An odd side gets one zero before its first row or column, which counts.

    Args:
        fine: the plane to halve, of `height` rows of `width` pixels.
        channels: a tuple with an item for each channel.
        line: ((width + 1) * channels,) for a sum of two rows.
        coarse: is written.
    """
    widest_vectors()
    step = np.uintp(len(channels))
    lead, samples = (width % _2) * step, width * step
    for j in range(lead):
        line[j] = 0
    for r in range((height + _1) // _2):
        lower = (_2 * r + _1 - height % _2) * stride
        upper = lower - stride
        if r == _0 and height % _2 == _1:
            for j in range(samples):
                line[lead + j] = np.int32(fine[lower + j])
        else:
            for j in range(samples):
                line[lead + j] = np.int32(fine[lower + j]) + np.int32(fine[upper + j])
        o = r * coarse_stride
        for j in range((width + _1) // _2):
            s, t = _2 * step * j, o + step * j
            coarse[t] = line[s] + line[s + step]
            if step == _3:
                coarse[t + _1] = line[s + _1] + line[s + _4]
                coarse[t + _2] = line[s + _2] + line[s + _5]


def halving(channels: int) -> Callable[..., None]:
    """The kernel `halve` for a number of channels."""
    each = (np.float32(0),) * channels

    def kernel(fine: Any, height: Any, width: Any, stride: Any, line: Any, coarse: Any, coarse_stride: Any) -> None:
        halve(fine, each, height, width, stride, line, coarse, coarse_stride)

    return kernel
