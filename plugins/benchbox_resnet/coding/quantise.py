"""Rate-distortion optimised rounding at the encoder: each residual takes the cheaper of its two nearest integers.

The gains are close to step^2 = 26 / (lambda 255^2), and the reconstruction is close to orthonormal, so that an error of
e steps in one latent is worth 26 / 3 * e^2 bits of distortion. The decoder does not change.
"""

import numba
import numpy as np
import numpy.typing as npt

#: Bits that one squared step of error is worth: lambda * 255^2 / 3 * step^2.
STEP_WEIGHT = 26 / 3

Floats = npt.NDArray[np.float32]


@numba.njit(cache=True, nogil=True)
def cheaper(x: float, table: int, costs: Floats, worth: float, limit: int) -> int:
    """x, in rounding steps -> the integer within +-limit that costs least under a table. `costs` (64, n): bits by table
    and magnitude; `worth`: bits that one squared step of error is worth."""
    magnitude = abs(x)
    low = int(magnitude)
    part = magnitude - low
    chosen, width = low, costs.shape[1]
    if part > 0.5:
        chosen = low + 1
        if low + 1 < width and worth * (2 * part - 1) < costs[table, low + 1] - costs[table, low]:
            chosen = low
    elif 0 < low < width and part < 0.5 and costs[table, low] - costs[table, low - 1] > worth * (2 * part + 1):
        chosen = low - 1  # cheaper only where the table falls very steeply
    chosen = min(chosen, limit)
    return -chosen if x < 0 else chosen
