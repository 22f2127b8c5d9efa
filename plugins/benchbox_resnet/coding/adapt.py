"""Coding tables that learn from the picture: each symbol's table moves by how surprising its neighbours were.

The scale path (`exact`) guesses one of 64 tables for every latent from what training pictures taught it. Here a linear
predictor, one for each band of channels and half of the checkerboard, adds what this picture has shown so far, and is
corrected after every symbol. Encoder and decoder run it in the same order on the same decoded integers, in 64-bit
integer arithmetic, so that both choose the same tables on every machine.

A half is (h, w, P), P = M / 2: of each pair of neighbouring channels the one that belongs to it (see
`pipeline.split_half`); it is walked row by row, channels innermost. The surprise of a latent that became s, in rounding
steps, under table k is log2(1 + |s|) less its mean under k. From it come the features of the predictor:

    0  1
    1  surprises of the channels before, at this position: running mean of the last few
    2  the same of the last dozen or so
    3  surprises of the same pair at the two upper diagonal positions
    4  ... two rows above and two columns before
    5  second half: of the first half's four symbols around this one
    6  the guess k itself

The table taken is k + 8 * weights . features. The weights follow by normalised least mean squares (Widrow and Hoff;
Haykin, "Adaptive Filter Theory", chapter 6) on the surprise under the table taken: its mean is zero where the table is
right, whatever the shape of the distribution, and one large symbol counts by its logarithm.
"""

import numba
import numpy as np
import numpy.typing as npt

from benchbox_resnet.network.config import GRID, SCALE_COUNT
from benchbox_resnet.network.scale import HIDDEN_BITS

FEATURES = 7
#: Bands of channels, each with weights of its own: narrow where the variance is large.
BANDS = 16
#: Weights at the beginning of a picture, first half and second: means of what training pictures taught.
START = ((-0.08, 0.40, 0.70, 0.13, 0.15, 0.0, 0.0), (0.02, 0.25, 0.40, 0.05, 0.06, 0.05, 0.03))
#: The first latents are means of a block's colours (any KLT of pictures begins so), and means run on from block to
#: block. Under z alone, which sees 64x64 pixels, they are coded as sums of 1/32 of the symbols at the left and right
#: above, two above, two before, plus what that leaves. Fitted by least squares to training pictures.
FORETOLD = 3
_PLANE = (8, 12, 1, 10)
#: Fractional bits of weights.
WEIGHT_BITS = 16
#: The share of an error that a step takes is 2^-RATE_BITS, over EASE + the features' squares.
RATE_BITS, EASE = 5, 4
#: Largest magnitude of a weight; farthest that a table is moved.
_WEIGHT_LIMIT, _FARTHEST = 8 << WEIGHT_BITS, 16
#: Further fractional bits of a step; what is shifted away when a step becomes a change of weights.
_FINE = 12
_DOWN = RATE_BITS + _FINE + HIDDEN_BITS - WEIGHT_BITS
_HALF = 1 << (_DOWN - 1)
#: EASE on the grid of squared features.
_EASE = EASE << (2 * HIDDEN_BITS)
#: Place of the fixed point in products of features and weights, in units of eight tables.
_POINT = HIDDEN_BITS + WEIGHT_BITS - 3
#: The guess as a feature: tables from this one, in steps of 3/64.
_MIDDLE, _GUESS_STEP = 20, 3

Half = npt.NDArray[np.int16]
Wide = npt.NDArray[np.int64]
Near = npt.NDArray[np.int32]


def bands(pairs: int) -> npt.NDArray[np.int64]:
    """(pairs,): the band of each pair of channels, two bands to an octave."""
    return np.minimum(np.searchsorted(_EDGES, np.arange(pairs), side="right"), BANDS - 1)


#: First pair of each band but the first.
_EDGES = (1, 2, 3, 4, 5, 7, 10, 15, 22, 31, 44, 63, 90, 127, 180)


def start(second: bool) -> Wide:
    """(BANDS, FEATURES) weights at the beginning of a half, fixed-point."""
    return np.tile(np.rint(np.array(START[second]) * 2**WEIGHT_BITS).astype(np.int64), (BANDS, 1))


@numba.njit(cache=True, nogil=True)
def gather(i: int, j: int, own: Half, before: Half, out: Near) -> None:
    """Features 3, 4 and 5 of all pairs at (i, j) into `out` (3, P). Both surprises have borders of zeros: of two
    positions."""
    y, x = i + 2, j + 2
    for p in range(out.shape[1]):
        out[0, p] = np.int32(own[y - 1, x - 1, p]) + np.int32(own[y - 1, x + 1, p])
        out[1, p] = np.int32(own[y - 2, x, p]) + np.int32(own[y, x - 2, p])
    if before.shape[0] > 1:
        for p in range(out.shape[1]):
            above, below = np.int32(before[y - 1, x, p]), np.int32(before[y + 1, x, p])
            out[2, p] = above + below + np.int32(before[y, x - 1, p]) + np.int32(before[y, x + 1, p])


@numba.njit(cache=True, nogil=True)
def around(guess: int, near: Near, weights: Wide, b: int, p: int) -> int:
    """What all features but 1 and 2 move the table of pair p in band b by, fixed-point.

    (Weights come whole: a row of them would be counted as a reference for every symbol.)
    """
    total = (1 << (_POINT - 1)) + (weights[b, 0] << HIDDEN_BITS) + weights[b, 6] * ((guess - _MIDDLE) * _GUESS_STEP)
    return int(total + weights[b, 3] * near[0, p] + weights[b, 4] * near[1, p] + weights[b, 5] * near[2, p])


@numba.njit(cache=True, nogil=True)
def choose(guess: int, rest: int, short: int, long: int, weights: Wide, b: int) -> int:
    """The table of a pair in band b: the guess moved by what the features say, `rest` being `around` it."""
    total = rest + weights[b, 1] * short + weights[b, 2] * long
    moved = min(max(total >> _POINT, -_FARTHEST), _FARTHEST)
    return int(min(max(guess + moved, 0), SCALE_COUNT - 1))


@numba.njit(cache=True, nogil=True)
def learn(
    guess: int, short: int, long: int, near: Near, weights: Wide, b: int, p: int, table: int, surprise: int
) -> None:  # fmt: skip
    """Correct the weights of band b by the surprise under the table that was taken.

    A narrow table's mean moves slowly in units of the surprise: its errors count more (a line through
    dE/dk / Var, E the mean of log2(1 + |s|) under a Laplace distribution).
    """
    f3, f4, f5 = np.int64(near[0, p]), np.int64(near[1, p]), np.int64(near[2, p])
    f6 = (guess - _MIDDLE) * _GUESS_STEP
    power = _EASE + short * short + long * long + f3 * f3 + f4 * f4 + f5 * f5 + f6 * f6
    error = surprise * max(218 - 7 * table, 32)  # the slope is fixed-point, as surprises
    size = np.int64(np.uint32(abs(error) << _FINE) // np.uint32(power))
    step = -size if error < 0 else size
    weights[b, 0] += ((step << HIDDEN_BITS) + _HALF) >> _DOWN
    weights[b, 1] += (step * short + _HALF) >> _DOWN
    weights[b, 2] += (step * long + _HALF) >> _DOWN
    weights[b, 3] += (step * f3 + _HALF) >> _DOWN
    weights[b, 4] += (step * f4 + _HALF) >> _DOWN
    weights[b, 5] += (step * f5 + _HALF) >> _DOWN
    weights[b, 6] += (step * f6 + _HALF) >> _DOWN


@numba.njit(cache=True, nogil=True)
def keep_within_limits(weights: Wide) -> None:
    """Keep what a damaged stream may teach within what 64 bits hold."""
    for b in range(weights.shape[0]):
        for k in range(FEATURES):
            weights[b, k] = min(max(weights[b, k], -_WEIGHT_LIMIT), _WEIGHT_LIMIT)


@numba.njit(cache=True, nogil=True)
def foretell(i: int, j: int, p: int, symbols: Half) -> int:
    """What a latent of the first half and the first channels is expected to be, in whole rounding steps, from the
    symbols of its own channel, which are on the grid of `trellis`."""
    total = 16 * GRID
    if i > 0:
        if j > 0:
            total += _PLANE[0] * symbols[i - 1, j - 1, p]
        if j < symbols.shape[1] - 1:
            total += _PLANE[1] * symbols[i - 1, j + 1, p]
        if i > 1:
            total += _PLANE[2] * symbols[i - 2, j, p]
    if j > 1:
        total += _PLANE[3] * symbols[i, j - 2, p]
    return int(total // (32 * GRID))


def bordered(shape: tuple[int, ...]) -> Half:
    """Surprises of a half (h, w, P), not known yet, with a border of two positions of zeros."""
    return np.zeros((shape[0] + 4, shape[1] + 4, shape[2]), np.int16)
