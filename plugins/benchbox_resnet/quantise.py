"""Rate-distortion optimised rounding at the encoder: each residual takes the cheaper of its two nearest integers.

With gains near their theory (step^2 = 26 / (lambda 255^2)), an error of e steps in one latent is worth 26 / 3 * e^2
bits of distortion: the reconstruction is close to orthonormal. The decoder does not change.
"""

import numba
import numpy as np
import numpy.typing as npt

#: lambda * 255^2 / 3 * step^2: bits that one squared step of error is worth.
STEP_WEIGHT = 26 / 3

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int16]


@numba.njit(cache=True, nogil=True)
def _round(v: Floats, index: Indices, costs: Floats, weights: Floats, limit: int, out: Symbols) -> None:
    width = costs.shape[1]
    for i in range(len(v)):
        x, weight = v[i], weights[i % len(weights)]
        magnitude = abs(x)
        low = int(magnitude)
        part = magnitude - low
        chosen = low
        if part > 0.5:
            chosen = low + 1
            if low + 1 < width:
                extra = costs[index[i], low + 1] - costs[index[i], low]
                if weight * (2 * part - 1) < extra:
                    chosen = low
        elif low > 0 and low < width and part < 0.5:
            # one further down: worth it only where the table falls very steeply
            saved = costs[index[i], low] - costs[index[i], low - 1]
            if saved > weight * (2 * part + 1):
                chosen = low - 1
        chosen = min(chosen, limit)
        out[i] = -chosen if x < 0 else chosen


def optimised_round(v: Floats, index: Indices, costs: Floats, weights: Floats, limit: int) -> Symbols:
    """Residuals v (..., M) and their table numbers (same shape), costs (64, n) bits by magnitude, weights (M,): bits
    that one squared step of error is worth in each channel -> symbols within +-limit."""
    out = np.empty(v.size, np.int16)
    _round(v.reshape(-1), index.reshape(-1), costs, weights, limit, out)
    return out.reshape(v.shape)
