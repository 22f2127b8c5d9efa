"""Dependent quantisation: two quantisers take turns, by the parity of what was coded before.

Latents are quantised to multiples of 1 / GRID rounding steps, their symbols. Where a table is narrow (its guess is
below `ModelConfig.dependent_from`) they are whole rounding steps, `GRID * k` for the coded integer k. Elsewhere k
chooses one point of two quantisers, `UNION` grid steps apart in their union:

    quantiser 0:  ... -4 -2  0  2  4 ...      2 k
    quantiser 1:  ... -3 -1  0  1  3 ...      2 k - sign(k)

Which of them it is says the state of a machine of eight, which the parity of k moves on (`NEXT`). A symbol costs the
bits of a quantiser with steps of 2 * UNION / GRID = 4/3; the encoder, which plans ahead, finds points that are closer
than in one with such steps: it saves up to 0.16 bits a symbol at the same error, where tables are wide.

The plan is a Viterbi search along the channels of one position, over the eight states, with the bits that each survivor
would spend; it looks some symbols into the next position, because a state that is given at the beginning of a position
costs what the search could win there. Decoders do not search.

Sources: Marcellin and Fischer 1990, "Trellis coded quantization of memoryless and Gauss-Markov sources"; the machine is
that of JPEG 2000, part 2 (Ungerboeck's code of eight states); zero in both quantisers as in VVC (Schwarz et al. 2019,
"Hybrid video coding with trellis-coded quantization").
"""

import numba
import numpy as np
import numpy.typing as npt

from benchbox_resnet.adapt import (
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
from benchbox_resnet.config import GRID, SCALE_COUNT
from benchbox_resnet.entropy import Ints
from benchbox_resnet.quantise import cheaper

#: Distance of neighbouring points of the two quantisers' union, on the grid.
UNION = 2
#: The state that follows, by state and parity of the coded integer.
NEXT = np.array([(0, 1), (3, 2), (5, 4), (6, 7), (1, 0), (2, 3), (4, 5), (7, 6)], np.int64)
#: How far into the next position the search looks: dependent symbols, and pairs of channels.
LOOK_AHEAD, LOOK_PAIRS = 8, 32
_STATES = len(NEXT)
_NEVER = np.float32(1e30)

Costs = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.uint8]
Bytes = npt.NDArray[np.int8]


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
def _branch(
    x: float, start: int, rest: int, b: int, p: int, worth: float, weights: Wide, costs: Costs, short: Wide, long: Wide,
    cost: Floats, spent: Floats, origin: Bytes, chosen: Half,
) -> None:  # fmt: skip
    """Lead all survivors on by one dependent symbol, that of pair p: bits into `spent` (8,), where they come from and
    what they code into `origin` and `chosen` (P, 8).

    Each has the two points next to |x|, whose parities differ, and zero where it is next but one.
    """
    at, last = abs(x) * (GRID / UNION), costs.shape[2] - 1
    low0, low1 = int(at * 0.5), int((at + 1) * 0.5)
    below0, above0 = worth * _error(at, low0, 0), worth * _error(at, low0 + 1, 0)
    below1, above1 = worth * _error(at, low1, 1), worth * _error(at, low1 + 1, 1)
    zero = worth * _error(at, 0, 0)
    spent[:] = _NEVER
    origin[p, 0] = 0  # no state may lead here, but it is no plain symbol
    for s in range(_STATES):
        if cost[s] >= _NEVER:
            continue
        table = choose(start, rest, (short[s] + 8) >> 4, (long[s] + 32) >> 6, weights, b)
        low, kind, below, above = low0, 1, below0, above0
        if s & 1:
            low, kind, below, above = low1, 2, below1, above1
        down = cost[s] + costs[kind, table, min(low, last)] + below
        up, k = cost[s] + costs[kind, table, min(low + 1, last)] + above, low + 1
        if low == 1 and cost[s] + costs[kind, table, 0] + zero < up:
            up, k = cost[s] + costs[kind, table, 0] + zero, 0
        to = NEXT[s, low & 1]
        if down < spent[to]:
            spent[to], origin[p, to], chosen[p, to] = down, s, low if x > 0 else -low
        to = NEXT[s, k & 1]
        if up < spent[to]:
            spent[to], origin[p, to], chosen[p, to] = up, s, k if x > 0 else -k


@numba.njit(cache=True, nogil=True)
def _advance(
    i: int, j: int, second: int, pairs: int, most: int, v: Floats, guess: Indices, unsent: Flags, near: Near,
    symbols: Half, features: Ints, expected: Wide, band: Wide, weights: Wide, costs: Costs, worth: Floats,
    dependent_from: int, limit: int, cost: Floats, origin: Bytes, chosen: Half,
) -> int:  # fmt: skip
    """Viterbi search over the first `pairs` of one position: bits so far by state in `cost` (8,), where survivors came
    from and what they coded into `origin` and `chosen` (P, 8). Stops before `most` + 1 dependent symbols; returns the
    pairs it did.

    A symbol that is not dependent is decided once, for the survivor that leads, and moves no state; behind it all
    survivors are taken to have seen what the leader has.
    """
    parity = (i + j + second) & 1
    short, long = np.zeros(_STATES, np.int64), np.zeros(_STATES, np.int64)
    short2, long2 = np.zeros(_STATES, np.int64), np.zeros(_STATES, np.int64)
    spent = np.zeros(_STATES, np.float32)
    foretold = 0 if second else FORETOLD
    lead, alike = int(np.argmin(cost)), True
    for p in range(pairs):
        if unsent[parity, p]:
            continue
        start, b, x = int(guess[i, j, p]), band[p], min(max(v[i, j, p], -0.5 * limit), 0.5 * limit)
        if 2 * p + parity < foretold:
            x -= foretell(i, j, p, symbols)
        if start < dependent_from:
            run1, run2, k = (short[lead] + 8) >> 4, (long[lead] + 32) >> 6, 0
            if (start | run1 | run2 | near[0, p] | near[1, p] | near[2, p]) != 0:
                table = choose(start, around(start, near, weights, b, p), run1, run2, weights, b)
                k = cheaper(x, table, costs[0], worth[parity, p], limit)
            elif abs(x) > 0.5:
                k = cheaper(x, start, costs[0], worth[parity, p], limit)
            new = np.int64(features[min(abs(k) * GRID, len(features) - 1)] - expected[0, start])
            short[lead] += ((new << 4) - short[lead]) >> 2
            long[lead] += ((new << 6) - long[lead]) >> 4
            origin[p, 0], chosen[p, 0] = -1, k
            alike = True
            continue
        if most == 0:
            return p
        most -= 1
        if alike:
            short[:], long[:] = short[lead], long[lead]
            alike = False
        rest = around(start, near, weights, b, p)
        _branch(x, start, rest, b, p, worth[parity, p], weights, costs, short, long, cost, spent, origin, chosen)
        for to in range(_STATES):
            cost[to] = spent[to]
            if spent[to] < _NEVER:
                s = origin[p, to]
                seen = features[min(abs(point(chosen[p, to], s)), len(features) - 1)]
                new = np.int64(seen - expected[1 + (s & 1), start])
                short2[to] = short[s] + (((new << 4) - short[s]) >> 2)
                long2[to] = long[s] + (((new << 6) - long[s]) >> 4)
                if spent[to] <= spent[lead]:
                    lead = to
        short[:], long[:] = short2, long2
    return int(pairs)


@numba.njit(cache=True, nogil=True)
def _trace(pairs: int, state: int, unsent: Flags, origin: Bytes, chosen: Half, coded: Half) -> int:
    """Follow the survivor in `state` back over so many pairs: what it coded into `coded`; the state it began in."""
    for p in range(pairs - 1, -1, -1):
        if unsent[p]:
            continue
        if origin[p, 0] == -1:
            coded[p] = chosen[p, 0]
        else:
            coded[p] = chosen[p, state]
            state = int(origin[p, state])
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
    near, near2 = np.zeros((3, pairs), np.int32), np.zeros((3, pairs), np.int32)
    origin, chosen = np.zeros((pairs, _STATES), np.int8), np.zeros((pairs, _STATES), np.int16)
    origin2, chosen2 = np.zeros((pairs, _STATES), np.int8), np.zeros((pairs, _STATES), np.int16)
    cost, beyond = np.zeros(_STATES, np.float32), np.zeros(pairs, np.int16)
    state = 0
    for i in range(h):
        for j in range(w):
            parity = (i + j + second) & 1
            gather(i, j, own, before, near)
            cost[:] = _NEVER
            cost[state] = 0
            _advance(
                i, j, second, pairs, pairs, v, guess, unsent, near, symbols, features, expected, band, weights, costs,
                worth, dependent_from, limit, cost, origin, chosen,
            )  # fmt: skip
            i2, j2 = (i, j + 1) if j + 1 < w else (i + 1, 0)
            parity2 = (i2 + j2 + second) & 1
            done = 0
            if i2 < h:
                gather(i2, j2, own, before, near2)
                done = _advance(
                    i2, j2, second, min(LOOK_PAIRS, pairs), LOOK_AHEAD, v, guess, unsent, near2, symbols, features,
                    expected, band, weights, costs, worth, dependent_from, limit, cost, origin2, chosen2,
                )  # fmt: skip
            end = _trace(done, int(np.argmin(cost)), unsent[parity2], origin2, chosen2, beyond)
            _trace(pairs, end, unsent[parity], origin, chosen, coded[i, j])
            state = _commit(
                i, j, second, guess, unsent, near, features, expected, band, weights, dependent_from, state,
                symbols, coded, taken, own,
            )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _commit(
    i: int, j: int, second: int, guess: Indices, unsent: Flags, near: Near, features: Ints, expected: Wide,
    band: Wide, weights: Wide, dependent_from: int, state: int,
    symbols: Half, coded: Half, taken: Indices, own: Half,
) -> int:  # fmt: skip
    """Code one position as a decoder will read it, and learn from it; returns the state behind it."""
    pairs, parity = guess.shape[2], (i + j + second) & 1
    foretold = 0 if second else FORETOLD
    run_short = run_long = 0
    for p in range(pairs):
        if unsent[parity, p]:
            continue
        start, b, k = int(guess[i, j, p]), band[p], int(coded[i, j, p])
        short, long, table = (run_short + 8) >> 4, (run_long + 32) >> 6, start
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
