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


@numba.njit(cache=True, nogil=True)
def cheaper(x: float, table: int, costs: Floats, worth: float, limit: int) -> int:
    """The integer within +-limit that x becomes under a table; `worth`: bits of one squared step of error."""
    magnitude = abs(x)
    low = int(magnitude)
    part = magnitude - low
    chosen, width = low, costs.shape[1]
    if part > 0.5:
        chosen = low + 1
        if low + 1 < width and worth * (2 * part - 1) < costs[table, low + 1] - costs[table, low]:
            chosen = low
    elif 0 < low < width and part < 0.5 and costs[table, low] - costs[table, low - 1] > worth * (2 * part + 1):
        chosen = low - 1  # one further down: worth it only where the table falls very steeply
    chosen = min(chosen, limit)
    return -chosen if x < 0 else chosen
