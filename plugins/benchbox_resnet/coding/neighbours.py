"""Computes the input of `ExactScale.refine` from the first half's symbols, on the host, in integers.

On other devices `ExactScale` computes the same by layers. The loops here take a quarter of the time that layers take on
the host: they skip channels that are not known yet, and write what the next matrix product reads.
"""

import numba
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def surprises(
    symbols: npt.NDArray[np.int16], t1: Doubles, features: Integers, expected: Integers, out: Integers
) -> None:
    """Symbols and tables (h, w, M) -> `out` (2, h + 2b, w + 2b, M / 2), whose border is left alone: by parity of the
    channel, what is known at each position; the rest is left alone, too."""
    h, w, channels = symbols.shape
    border, last = (out.shape[1] - h) // 2, len(features) - 1
    for y in range(h):
        for x in range(w):
            known = (y + x) & 1
            to = out[known, y + border, x + border]
            for p in range(channels // 2):
                size = min(abs(int(symbols[y, x, 2 * p + known])), last)
                to[p] = features[size] - expected[int(t1[y, x, 2 * p + known])]


@numba.njit(cache=True, nogil=True)
def weigh(seen: Integers, window: Integers, bits: int, unit: float, out: Doubles) -> None:
    """Weighted sums of surprises around each position, shifted by `bits` and rounded, and the surprises themselves.

    seen (2, h + 2b, w + 2b, P): of `surprises`, zero where nothing is known; window (2b + 1, 2b + 1, 2, P): weights by
    parity of the channel -> out (4, h * w / 4, 3P), times `unit`: for each corner of a square of 2x2 positions the sums
    of even channels, those of odd ones, and the surprises of the channels that are known there.
    """
    border, pairs = window.shape[0] // 2, seen.shape[3]
    h, w = seen.shape[1] - 2 * border, seen.shape[2] - 2 * border
    total, half = np.zeros(pairs, np.int32), np.int32((1 << bits) >> 1)
    for y in range(h):
        for x in range(w):
            row = out[2 * (y & 1) + (x & 1), (y // 2) * (w // 2) + x // 2]
            for parity in range(2):
                total[:] = half
                for dy in range(window.shape[0]):
                    # where row + column has the channel's parity, and there only, it is known
                    for dx in range((y + x + dy + parity) & 1, window.shape[1], 2):
                        weights, values = window[dy, dx, parity], seen[parity, y + dy, x + dx]
                        for p in range(pairs):
                            total[p] += weights[p] * values[p]
                for p in range(pairs):
                    row[parity * pairs + p] = (total[p] >> bits) * unit
            here = seen[(y + x) & 1, y + border, x + border]
            for p in range(pairs):
                row[2 * pairs + p] = here[p] * unit
