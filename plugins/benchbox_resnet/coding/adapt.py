"""Coding tables that learn from the picture: each symbol's table moves by how surprising its neighbours were.

The scale path (`exact`) guesses one of 64 tables for every latent from what it learned on training pictures. A linear
predictor, one for each band of channels and half of the checkerboard, corrects the guess by what this picture has shown
so far, and is itself corrected after every symbol. Encoder and decoder run it in the same order on the same decoded
integers, in 64-bit integer arithmetic, so that both choose the same tables on every machine. The encoder's search, its
output and the decoder (`trellis`, `adapter`) all compile the step that is written here.

A half is (h, w, P), P = M / 2: of each pair of neighbouring channels the one that belongs to it (see
`halves.split_half`); it is walked row by row, channels innermost. The surprise of a latent with symbol s, in rounding
steps, under table k is log2(1 + |s|) less its mean under k. The features of the predictor are

    0  1
    1  surprises of the channels before, at this position: running mean of the last few
    2  the same of the last dozen or so
    3  surprises of the same pair at the two upper diagonal positions
    4  ... two rows above and two columns before
    5  second half: of the first half's four symbols around this one
    6  the guess k itself

The table taken is k + 8 * weights . features. The weights follow by normalised least mean squares (Widrow and Hoff;
Haykin, "Adaptive Filter Theory", chapter 6) on the surprise under the table taken: its mean is zero where the table is
right, whatever the shape of the distribution, and a large symbol counts only by its logarithm.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from benchbox_resnet.coding.entropy import Ints
from benchbox_resnet.network.config import GRID, SCALE_COUNT
from benchbox_resnet.network.scale import HIDDEN_BITS

FEATURES = 7
#: Bands of channels with weights of their own: narrow where the variance is large.
BANDS = 16
#: Weights at the beginning of a picture, first half and second: means of those learned on training pictures.
START = ((-0.08, 0.40, 0.70, 0.13, 0.15, 0.0, 0.0), (0.02, 0.25, 0.40, 0.05, 0.06, 0.05, 0.03))
#: The first latents are the mean colours of a block (the KLT of pictures begins with them), and neighbouring blocks
#: have similar means. z alone covers 64x64 pixels and cannot predict them; they are coded as the difference to a
#: weighted sum of the symbols at the left and right above, two above and two before, with these weights in 1/32, fitted
#: by least squares to training pictures.
PREDICTED = 3
_PLANE = (8, 12, 1, 10)
#: Fractional bits of weights.
WEIGHT_BITS = 16
#: A step takes the share 2^-RATE_BITS of an error, divided by EASE plus the squares of the features.
RATE_BITS, EASE = 5, 4
#: Largest magnitude of a weight; largest distance that a table is moved.
_WEIGHT_LIMIT, _FARTHEST = 8 << WEIGHT_BITS, 16
#: Further fractional bits of a step; bits that are shifted out when a step becomes a change of weights.
_FINE = 12
_DOWN = RATE_BITS + _FINE + HIDDEN_BITS - WEIGHT_BITS
_HALF = 1 << (_DOWN - 1)
#: EASE on the grid of squared features.
_EASE = EASE << (2 * HIDDEN_BITS)
#: Position of the fixed point in products of features and weights, in units of eight tables.
_POINT = HIDDEN_BITS + WEIGHT_BITS - 3
#: The guess as a feature: its distance from this table, in steps of 3/64.
_MIDDLE, _GUESS_STEP = 20, 3

Half = npt.NDArray[np.int16]
Wide = npt.NDArray[np.int64]
Near = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class Rules(NamedTuple):
    """Constants of one picture, known to both sides before the first symbol.

    `features` (n,) and `expected` (3, 64): see `tables.symbol_statistics`; `band` (P,): see `bands`; `unsent` (2, P),
    by parity of the position: latents that are not in the stream; `dependent_from`: see `trellis`.
    """

    features: Ints
    expected: Wide
    band: Wide
    unsent: Flags
    dependent_from: int


class Learned(NamedTuple):
    """What the predictor of one half has learned so far; both arrays are written to.

    `second`: 0 for the first half, 1 for the second; `before`: surprises of the first half (`bordered`), (1, 1, 1)
    while that is coded; `own`: surprises of this half (`bordered`); `weights` (BANDS, FEATURES), fixed-point.
    """

    second: int
    before: Half
    own: Half
    weights: Wide


class Latent(NamedTuple):
    """The numbers of one latent from which its table is chosen: the guess, features 1 and 2, its band and pair."""

    guess: int
    short: int
    long: int
    band: int
    pair: int


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
    """Write features 3, 4 and 5 of all pairs at (i, j) into `out` (3, P). `own` and `before` are `bordered`."""
    y, x = i + 2, j + 2
    for p in range(out.shape[1]):
        out[0, p] = np.int32(own[y - 1, x - 1, p]) + np.int32(own[y - 1, x + 1, p])
        out[1, p] = np.int32(own[y - 2, x, p]) + np.int32(own[y, x - 2, p])
    if before.shape[0] > 1:
        for p in range(out.shape[1]):
            above, below = np.int32(before[y - 1, x, p]), np.int32(before[y + 1, x, p])
            out[2, p] = above + below + np.int32(before[y, x - 1, p]) + np.int32(before[y, x + 1, p])


@numba.njit(cache=True, nogil=True)
def latent(guess: int, run: tuple[int, int], band: int, pair: int) -> Latent:
    """The latent of a pair, given the running sums before it (see `follow`)."""
    return Latent(int(guess), (run[0] + 8) >> 4, (run[1] + 32) >> 6, band, pair)


@numba.njit(cache=True, nogil=True)
def choose(at: Latent, near: Near, weights: Wide) -> tuple[int, bool]:
    """The table of a latent, and whether any feature was not zero; where none was, that is the guess, and nothing is to
    be learned. `near` (3, P): see `gather`.

    (`weights` is passed whole: a row of it would be counted as a reference for every symbol.)
    """
    guess, short, long, b, p = at
    if (guess | short | long | near[0, p] | near[1, p] | near[2, p]) == 0:
        return guess, False
    total = (1 << (_POINT - 1)) + (weights[b, 0] << HIDDEN_BITS) + weights[b, 6] * ((guess - _MIDDLE) * _GUESS_STEP)
    total += weights[b, 3] * near[0, p] + weights[b, 4] * near[1, p] + weights[b, 5] * near[2, p]
    total += weights[b, 1] * short + weights[b, 2] * long
    moved = min(max(total >> _POINT, -_FARTHEST), _FARTHEST)
    return int(min(max(guess + moved, 0), SCALE_COUNT - 1)), True


@numba.njit(cache=True, nogil=True)
def follow(run: tuple[int, int], surprise: int) -> tuple[int, int]:
    """The running sums of features 1 and 2 after one more surprise under the guess; (0, 0) at each new position."""
    return run[0] + (((surprise << 4) - run[0]) >> 2), run[1] + (((surprise << 6) - run[1]) >> 4)


@numba.njit(cache=True, nogil=True)
def magnitude(features: Ints, symbol: int) -> int:
    """log2(1 + |s|) of a symbol on the grid, fixed-point."""
    return int(features[min(abs(symbol), len(features) - 1)])


@numba.njit(cache=True, nogil=True)
def learn(at: Latent, near: Near, weights: Wide, table: int, surprise: int) -> None:
    """Correct the weights of the latent's band by the surprise under the table that was taken.

    The mean of a narrow table changes little from table to table, so that its errors count more: by a line fitted to
    dE/dk / Var, where E is the mean of log2(1 + |s|) under a Laplace distribution.
    """
    guess, short, long, b, p = at
    f3, f4, f5 = np.int64(near[0, p]), np.int64(near[1, p]), np.int64(near[2, p])
    f6 = (guess - _MIDDLE) * _GUESS_STEP
    power = _EASE + short * short + long * long + f3 * f3 + f4 * f4 + f5 * f5 + f6 * f6
    error = surprise * max(218 - 7 * table, 32)  # the slope is fixed-point, like the surprise
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
    """Clip weights, so that a damaged stream cannot make sums overflow 64 bits."""
    for b in range(weights.shape[0]):
        for k in range(FEATURES):
            weights[b, k] = min(max(weights[b, k], -_WEIGHT_LIMIT), _WEIGHT_LIMIT)


@numba.njit(cache=True, nogil=True)
def predict(i: int, j: int, p: int, symbols: Half) -> int:
    """The expected value of a latent of the first half and the first channels, in whole rounding steps, from the
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
    """Surprises of a half (h, w, P), all zero yet, with a border of two positions of zeros: (h + 4, w + 4, P)."""
    return np.zeros((shape[0] + 4, shape[1] + 4, shape[2]), np.int16)
