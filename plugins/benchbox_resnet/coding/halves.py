"""The checkerboard halves of the latents: which channel of each pair belongs to which half, and the types they have.

Where row + column is even the first half are the even channels, elsewhere the odd ones; the second half are the others.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

#: Largest symbol that the encoder writes, on the grid of `dependent`.
SYMBOL_CLIP = 32000

Number = TypeVar("Number", bound=np.generic)
Symbols = npt.NDArray[np.int16]
Indices = npt.NDArray[np.uint8]


def parity_mask(h: int, w: int, top: int, left: int) -> npt.NDArray[np.bool_]:
    """(h, w, 1): whether even channels belong to the first half at a position; the window begins at (top, left)."""
    rows, cols = np.arange(top, top + h)[:, None], np.arange(left, left + w)
    return np.asarray((rows + cols) % 2 == 0)[:, :, None]


def split_half(latents: npt.NDArray[Number], first: bool, top: int = 0, left: int = 0) -> npt.NDArray[Number]:
    """(h, w, M) -> (h, w, M / 2): the first or the second half of a window that begins at (top, left)."""
    h, w, m = latents.shape
    pairs = latents.reshape(h, w, m // 2, 2)
    even = parity_mask(h, w, top, left)
    return np.where(even if first else ~even, pairs[..., 0], pairs[..., 1])


def join_half(half: npt.NDArray[np.generic], into: npt.NDArray[np.generic], first: bool) -> None:
    """The inverse of `split_half`: write (h, w, M / 2) into `into` (h, w, M), which begins at (0, 0)."""
    h, w, m = into.shape
    pairs = into.reshape(h, w, m // 2, 2)
    even = parity_mask(h, w, 0, 0)
    mask = even if first else ~even
    pairs[..., 0] = np.where(mask, half, pairs[..., 0])
    pairs[..., 1] = np.where(mask, pairs[..., 1], half)
