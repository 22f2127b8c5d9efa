"""Dependent quantisation: two quantisers take turns, by the parity of what was coded before.

Latents are quantised to multiples of 1 / GRID rounding steps, their symbols. Where a table is narrow (its guess is
below `ModelConfig.dependent_from`) they are whole rounding steps, `GRID * k` for the coded integer k. Elsewhere k
chooses one point of two quantisers, `UNION` grid steps apart in their union:

    quantiser 0:  ... -4 -2  0  2  4 ...      2 k
    quantiser 1:  ... -3 -1  0  1  3 ...      2 k - sign(k)

Which of them it is says the state of a machine of eight, which the parity of k moves on (`NEXT`). A symbol costs the
bits of a quantiser with steps of 2 * UNION / GRID = 4/3; the encoder, which plans ahead, finds points that are closer
than in one with such steps: it saves up to 0.16 bits a symbol at the same error, where tables are wide.

The plan is a Viterbi search along the channels of one position, over the eight states, with the bits that a symbol
would take under the table of the survivor that leads; it looks some symbols into the next position, because a state
that is given at the beginning of a position costs what the search could win there. Decoders do not search.

Sources: Marcellin and Fischer 1990, "Trellis coded quantization of memoryless and Gauss-Markov sources"; the machine is
that of JPEG 2000, part 2 (Ungerboeck's code of eight states); zero in both quantisers as in VVC (Schwarz et al. 2019,
"Hybrid video coding with trellis-coded quantization").
"""

import numba
import numpy as np
import numpy.typing as npt

from benchbox_resnet.coding.adapt import (
    FORETOLD,
    Half,
    Near,
    Wide,
    around,
    choose,
    foretell,
    gather,
    keep_within_limits,
    learn,
)
from benchbox_resnet.coding.entropy import Ints
from benchbox_resnet.coding.quantise import cheaper
from benchbox_resnet.network.config import GRID, SCALE_COUNT

#: Distance of neighbouring points of the two quantisers' union, on the grid.
UNION = 2
#: The state that follows, by state and parity of the coded integer.
NEXT = np.array([(0, 1), (3, 2), (5, 4), (6, 7), (1, 0), (2, 3), (4, 5), (7, 6)], np.int64)
#: How far into the next position the search looks: dependent symbols, and pairs of channels.
LOOK_AHEAD, LOOK_PAIRS = 16, 64
_STATES = len(NEXT)
_NEVER = np.float32(1e30)

Costs = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def point(k: int, state: int) -> int:
    """The symbol, on the grid, that k stands for in a state: even states are of quantiser 0, odd ones of 1."""
    if state & 1 and k != 0:
        return int(UNION * (2 * k - 1) if k > 0 else UNION * (2 * k + 1))
    return int(2 * UNION * k)


@numba.njit(cache=True, nogil=True)
def _error(at: float, k: int, quantiser: int) -> float:
    """Squared distance, in rounding steps, of |x| = `at` union steps from the point k >= 0 of a quantiser."""
    distance = (at - (2 * k - (quantiser if k > 0 else 0))) * (UNION / GRID)
    return distance * distance


@numba.njit(cache=True, nogil=True)
def came_from(state: int, decided: int) -> tuple[int, int]:
    """Where a survivor in `state` was before, and the parity of what it coded there; `decided`: see `_branch`."""
    upper = (decided >> state) & 1
    return (state >> 1) + 4 * upper, (state ^ (state >> 1) ^ (state >> 2) ^ upper) & 1


@numba.njit(cache=True, nogil=True)
def _branch(
    x: float, table: int, worth: float, costs: Costs, cost: Floats, before: Floats, bits: Floats, k: Half
) -> tuple[int, int]:
    """Lead all survivors on by one dependent symbol under a table: bits so far by state in `cost` (8,).

    Each has the two points next to |x|, whose parities differ, and zero where it is next but one: four choices in all,
    by quantiser and parity, what they code in `k` (2, 2) and its bits in `bits` (2, 2). (`before` (8,) is room.) States
    2 a and 2 a + 1 are reached from a and a + 4, whose quantiser is the same: returned are a number with a bit for each
    state that was reached from the latter, and the state that leads.
    """
    at, last = abs(x) * (GRID / UNION), costs.shape[2] - 1
    for quantiser in range(2):
        low = int((at + quantiser) * 0.5)
        parity = low & 1
        below = costs[1 + quantiser, table, min(low, last)] + worth * _error(at, low, quantiser)
        above = costs[1 + quantiser, table, min(low + 1, last)] + worth * _error(at, low + 1, quantiser)
        high = low + 1
        if low == 1:
            zero = costs[1 + quantiser, table, 0] + worth * _error(at, 0, quantiser)
            if zero < above:
                above, high = zero, 0
        bits[quantiser, parity], bits[quantiser, 1 - parity] = below, above
        k[quantiser, parity], k[quantiser, 1 - parity] = (low, high) if x > 0 else (-low, -high)
    decided = lead = 0
    least = _NEVER
    for state in range(_STATES):
        before[state] = cost[state]
    for a in range(_STATES // 2):
        parity = (a ^ (a >> 1)) & 1
        for to in range(2 * a, 2 * a + 2):
            one, other = before[a] + bits[a & 1, parity], before[a + 4] + bits[a & 1, 1 - parity]
            if other < one:
                one = other
                decided |= 1 << to
            cost[to] = one
            if one < least:
                least, lead = one, to
            parity = 1 - parity
    return decided, lead


@numba.njit(cache=True, nogil=True)
def _lively_end(guess: Indices, v: Floats, near: Near, pairs: int, dependent_from: int) -> int:
    """How many of the first `pairs` at one position are worth a look: behind them guesses and surprises around are 0,
    and residuals round to 0. (Two at least: of those something may be foretold.)"""
    least = 2 if dependent_from > 0 else pairs
    while pairs > least and (guess[pairs - 1] | near[0, pairs - 1] | near[1, pairs - 1] | near[2, pairs - 1]) == 0:
        if abs(v[pairs - 1]) > 0.5:
            break
        pairs -= 1
    return pairs


@numba.njit(cache=True, nogil=True)
def _advance(
    i: int, j: int, second: int, pairs: int, most: int, v: Floats, guess: Indices, unsent: Flags, near: Near,
    symbols: Half, features: Ints, expected: Wide, band: Wide, weights: Wide, costs: Costs, worth: Floats,
    dependent_from: int, limit: int, cost: Floats, coded: Half, places: Wide, decided: Indices, chosen: Half,
) -> int:  # fmt: skip
    """Viterbi search over the first `pairs` of one position, or `most` dependent symbols of it: bits so far by state in
    `cost` (8,), the pairs of dependent symbols in `places` (P,), what was decided there and what the choices were in
    `decided` (P,) and `chosen` (P, 2, 2), see `_branch`. Returns how many those are.

    Tables are those of the survivor that leads, as if it had always led. A symbol that is not dependent goes straight
    into `coded` (P,) and moves no state.
    """
    parity = (i + j + second) & 1
    bits, room = np.zeros((2, 2), np.float32), np.zeros(_STATES, np.float32)
    foretold = 0 if second else FORETOLD
    run_short = run_long = n = 0
    for p in range(pairs):
        if unsent[parity, p]:
            continue
        start, b, x = int(guess[i, j, p]), band[p], min(max(v[i, j, p], -0.5 * limit), 0.5 * limit)
        if 2 * p + parity < foretold:
            x -= foretell(i, j, p, symbols)
        k = seen = kind = 0
        plain = start < dependent_from
        if not plain or abs(x) > 0.5:  # what plainly rounds to 0 is 0 under any table
            short, long, table = (run_short + 8) >> 4, (run_long + 32) >> 6, start
            if (start | short | long | near[0, p] | near[1, p] | near[2, p]) != 0:
                table = choose(start, around(start, near, weights, b, p), short, long, weights, b)
            if plain:
                k = cheaper(x, table, costs[0], worth[parity, p], limit)
                seen = int(features[min(abs(k) * GRID, len(features) - 1)])
            else:
                if n == most:
                    break
                places[n] = p
                decided[n], lead = _branch(x, table, worth[parity, p], costs, cost, room, bits, chosen[n])
                s, odd = came_from(lead, decided[n])
                kind = 1 + (s & 1)
                seen = int(features[min(abs(point(chosen[n, s & 1, odd], s)), len(features) - 1)])
                n += 1
        coded[p] = k
        new = int(seen - expected[kind, start])
        run_short += ((new << 4) - run_short) >> 2
        run_long += ((new << 6) - run_long) >> 4
    return n


@numba.njit(cache=True, nogil=True)
def _trace(n: int, state: int, places: Wide, decided: Indices, chosen: Half, coded: Half) -> int:
    """Follow the survivor in `state` back over n dependent symbols: what it coded into `coded` (P,); the state it began
    in."""
    for at in range(n - 1, -1, -1):
        state, odd = came_from(state, decided[at])
        coded[places[at]] = chosen[at, state & 1, odd]
    return state


@numba.njit(cache=True, nogil=True)
def encode_half(
    v: Floats, guess: Indices, unsent: Flags, second: int, before: Half, features: Ints, expected: Wide,
    band: Wide, weights: Wide, costs: Costs, worth: Floats, dependent_from: int, limit: int,
    symbols: Half, coded: Half, taken: Indices, own: Half,
) -> None:  # fmt: skip
    """Residuals v (h, w, P), in rounding steps -> symbols on the grid, what is coded of them, and their tables; `own`:
    their surprises (see `adapt`). `costs` (3, 64, n): bits by kind of table, scale and magnitude; `worth` (2, P): bits
    of a squared step of error; residuals are clipped to half of +-limit (rounding steps)."""
    h, w, pairs = v.shape
    reach = min(LOOK_PAIRS, pairs)
    near, near2 = np.zeros((3, pairs), np.int32), np.zeros((3, reach), np.int32)
    decided, chosen, places = np.zeros(pairs, np.uint8), np.zeros((pairs, 2, 2), np.int16), np.zeros(pairs, np.int64)
    decided2, chosen2, places2 = decided[:reach].copy(), chosen[:reach].copy(), places[:reach].copy()
    cost, beyond = np.zeros(_STATES, np.float32), np.zeros(reach, np.int16)
    state = 0
    for i in range(h):
        for j in range(w):
            gather(i, j, own, before, near)
            cost[:] = _NEVER
            cost[state] = 0
            end = _lively_end(guess[i, j], v[i, j], near, pairs, dependent_from)
            count = _advance(
                i, j, second, end, end, v, guess, unsent, near, symbols, features, expected, band, weights, costs,
                worth, dependent_from, limit, cost, coded[i, j], places, decided, chosen,
            )  # fmt: skip
            i2, j2 = (i, j + 1) if j + 1 < w else (i + 1, 0)
            count2 = 0
            if i2 < h:
                gather(i2, j2, own, before, near2)
                end2 = _lively_end(guess[i2, j2], v[i2, j2], near2, reach, dependent_from)
                count2 = _advance(
                    i2, j2, second, end2, LOOK_AHEAD, v, guess, unsent, near2, symbols, features, expected, band,
                    weights, costs, worth, dependent_from, limit, cost, beyond, places2, decided2, chosen2,
                )  # fmt: skip
            ahead = _trace(count2, int(np.argmin(cost)), places2, decided2, chosen2, beyond)
            _trace(count, ahead, places, decided, chosen, coded[i, j])
            state = _commit(
                i, j, second, end, guess, unsent, near, features, expected, band, weights, dependent_from, state,
                symbols, coded, taken, own,
            )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _commit(
    i: int, j: int, second: int, end: int, guess: Indices, unsent: Flags, near: Near, features: Ints, expected: Wide,
    band: Wide, weights: Wide, dependent_from: int, state: int,
    symbols: Half, coded: Half, taken: Indices, own: Half,
) -> int:  # fmt: skip
    """Code one position as a decoder will read it, and learn from it; returns the state behind it. From pair `end` on
    (see `_lively_end`) all is as it is made, 0, once the surprises before have died away."""
    pairs, parity = guess.shape[2], (i + j + second) & 1
    foretold = 0 if second else FORETOLD
    run_short = run_long = 0
    for p in range(pairs):
        if unsent[parity, p]:
            continue
        start, b, k = int(guess[i, j, p]), band[p], int(coded[i, j, p])
        short, long, table = (run_short + 8) >> 4, (run_long + 32) >> 6, start
        if p >= end and (short | long) == 0:
            break
        lively = (start | short | long | near[0, p] | near[1, p] | near[2, p]) != 0
        if lively:
            table = choose(start, around(start, near, weights, b, p), short, long, weights, b)
        kind, symbol = 0, GRID * k
        if start >= dependent_from:
            kind, symbol = 1 + (state & 1), point(k, state)
            state = int(NEXT[state, k & 1])
        seen = features[min(abs(symbol), len(features) - 1)]
        if lively:
            learn(start, short, long, near, weights, b, p, table, seen - expected[kind, table])
        if 2 * p + parity < foretold:
            symbol += GRID * foretell(i, j, p, symbols)
        symbols[i, j, p], taken[i, j, p] = symbol, table + SCALE_COUNT * kind
        new = int(seen - expected[kind, start])
        own[i + 2, j + 2, p] = new
        run_short += ((new << 4) - run_short) >> 2
        run_long += ((new << 6) - run_long) >> 4
    keep_within_limits(weights)
    return state
