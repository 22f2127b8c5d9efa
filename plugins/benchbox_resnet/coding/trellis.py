"""The encoder's half of dependent quantisation: which integers to code, by a search ahead.

The search is a Viterbi search along the channels of one position, over the eight states of `dependent`, with the bits
that a symbol would take under the table of the leading survivor. It continues some symbols into the next position,
because a state that is fixed at the beginning of a position costs what the search could gain there. Decoders do not
search.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from benchbox_resnet.coding.adapt import (
    PREDICTED,
    Half,
    Learned,
    Near,
    Rules,
    Wide,
    choose,
    follow,
    gather,
    keep_within_limits,
    latent,
    learn,
    magnitude,
    predict,
)
from benchbox_resnet.coding.dependent import NEXT, STATES, UNION, came_from, point
from benchbox_resnet.coding.quantise import cheaper
from benchbox_resnet.network.config import GRID, SCALE_COUNT

#: How far the search looks into the next position: dependent symbols, and pairs of channels.
LOOK_AHEAD, LOOK_PAIRS = 16, 64
_NEVER = np.float32(1e30)

Costs = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.uint8]


class Prices(NamedTuple):
    """What the encoder weighs.

    `costs` (3, 64, n): bits by kind of table, scale and magnitude; `worth` (2, P), by parity of the position, times
    `local` (h, w): bits that one squared rounding step of error is worth; residuals are clipped to half of +-`limit`
    rounding steps.
    """

    costs: Costs
    worth: Floats
    local: Floats
    limit: int


class Written(NamedTuple):
    """What the encoder writes, all (h, w, P): symbols on the grid, the integers coded for them, and their tables."""

    symbols: Half
    coded: Half
    taken: Indices


class Task(NamedTuple):
    """One half to encode: residuals `v` in rounding steps and guessed tables `guess`, (h, w, P) each."""

    v: Floats
    guess: Indices
    rules: Rules
    learned: Learned
    prices: Prices
    written: Written


class Position(NamedTuple):
    """One position (i, j) of a half, and features 3 to 5 of its pairs (3, P), see `adapt.gather`."""

    i: int
    j: int
    near: Near


class Survivors(NamedTuple):
    """The survivors of a search along one position, and how they got there.

    `cost` (8,): bits so far by state; for each dependent symbol n: its pair in `places` (P,), what was decided in
    `decided` (P,), and the choices in `chosen` (P, 2, 2), see `_branch`.
    """

    cost: Floats
    places: Wide
    decided: Indices
    chosen: Half


@numba.njit(cache=True, nogil=True)
def _error(at: float, k: int, quantiser: int) -> float:
    """Squared distance, in rounding steps, of |x| = `at` union steps from the point k >= 0 of a quantiser."""
    distance = (at - (2 * k - (quantiser if k > 0 else 0))) * (UNION / GRID)
    return distance * distance


@numba.njit(cache=True, nogil=True)
def _branch(
    x: float, table: int, worth: float, costs: Costs, cost: Floats, before: Floats, bits: Floats, k: Half
) -> tuple[int, int]:
    """Extend all survivors by one dependent symbol x under a table; `cost` (8,) holds the bits so far by state.

    Each has the two points next to |x|, whose parities differ, and zero where it is next but one: four choices in all,
    by quantiser and parity, their coded integers in `k` (2, 2) and their bits in `bits` (2, 2). (`before` (8,) is
    scratch memory.) States 2 a and 2 a + 1 are reached from a and a + 4, which have the same quantiser. Returns a
    number with a bit set for each state that was reached from a + 4, and the leading state.
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
    for state in range(STATES):
        before[state] = cost[state]
    for a in range(STATES // 2):
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
def _end(task: Task, at: Position, pairs: int) -> int:
    """How many of the first `pairs` at a position can matter: behind them guesses and surprises around are 0, and
    residuals round to 0. (Two at least: the latents that `adapt.predict` predicts.)"""
    i, j, near = at
    v, guess = task.v, task.guess
    least = 2 if task.rules.dependent_from > 0 else pairs
    while pairs > least:
        p = pairs - 1
        if (guess[i, j, p] | near[0, p] | near[1, p] | near[2, p]) != 0 or abs(v[i, j, p]) > 0.5:
            break
        pairs -= 1
    return pairs


@numba.njit(cache=True, nogil=True)
def _advance(task: Task, at: Position, pairs: int, most: int, survivors: Survivors, coded: Half) -> int:
    """Viterbi search over the first `pairs` of one position, or over `most` dependent symbols of it, from
    `survivors.cost` on; fills `survivors` and returns how many dependent symbols those are.

    Tables are those of the leading survivor, as if it had always led. A symbol that is not dependent goes straight into
    `coded` (P,) and moves no state.
    """
    v, guess, rules, learned, prices, written = task
    features, expected, band, unsent, dependent_from = rules
    costs, worth, local, limit = prices
    i, j, near = at
    cost, places, decided, chosen = survivors
    weights, symbols = learned.weights, written.symbols
    parity = (i + j + learned.second) & 1
    bits, room = np.zeros((2, 2), np.float32), np.zeros(STATES, np.float32)
    predicted = 0 if learned.second else PREDICTED
    run, n = (0, 0), 0
    for p in range(pairs):
        if unsent[parity, p]:
            continue
        seen = latent(guess[i, j, p], run, band[p], p)
        x = min(max(v[i, j, p], -0.5 * limit), 0.5 * limit)
        if 2 * p + parity < predicted:
            x -= predict(i, j, p, symbols)
        k = size = kind = 0
        plain = seen.guess < dependent_from
        if not plain or abs(x) > 0.5:  # what plainly rounds to 0 is 0 under any table
            table, _ = choose(seen, near, weights)
            if plain:
                k = cheaper(x, table, costs[0], worth[parity, p] * local[i, j], limit)
                size = magnitude(features, k * GRID)
            else:
                if n == most:
                    break
                places[n] = p
                here = worth[parity, p] * local[i, j]
                decided[n], lead = _branch(x, table, here, costs, cost, room, bits, chosen[n])
                s, odd = came_from(lead, decided[n])
                kind = 1 + (s & 1)
                size = magnitude(features, point(chosen[n, s & 1, odd], s))
                n += 1
        coded[p] = k
        run = follow(run, int(size - expected[kind, seen.guess]))
    return n


@numba.njit(cache=True, nogil=True)
def _trace(n: int, state: int, survivors: Survivors, coded: Half) -> int:
    """Follow the survivor in `state` back over n dependent symbols and write what it coded into `coded` (P,); returns
    the state in which it began."""
    places, decided, chosen = survivors.places, survivors.decided, survivors.chosen
    for at in range(n - 1, -1, -1):
        state, odd = came_from(state, decided[at])
        coded[places[at]] = chosen[at, state & 1, odd]
    return state


@numba.njit(cache=True, nogil=True)
def _commit(task: Task, at: Position, end: int, state: int) -> int:
    """Code one position as a decoder will read it, and learn from it; returns the state after it. From pair `end` on
    (see `_end`) everything keeps its initial 0, once the surprises before have died away."""
    guess, rules, learned = task.guess, task.rules, task.learned
    features, expected, band, unsent, dependent_from = rules
    weights, own = learned.weights, learned.own
    symbols, coded, taken = task.written
    i, j, near = at
    parity = (i + j + learned.second) & 1
    predicted = 0 if learned.second else PREDICTED
    run = (0, 0)
    for p in range(guess.shape[2]):
        if unsent[parity, p]:
            continue
        seen, k = latent(guess[i, j, p], run, band[p], p), int(coded[i, j, p])
        if p >= end and (seen.short | seen.long) == 0:
            break
        table, lively = choose(seen, near, weights)
        kind, symbol = 0, GRID * k
        if seen.guess >= dependent_from:
            kind, symbol = 1 + (state & 1), point(k, state)
            state = int(NEXT[state, k & 1])
        size = magnitude(features, symbol)
        if lively:
            learn(seen, near, weights, table, size - expected[kind, table])
        if 2 * p + parity < predicted:
            symbol += GRID * predict(i, j, p, symbols)
        symbols[i, j, p], taken[i, j, p] = symbol, table + SCALE_COUNT * kind
        surprise = int(size - expected[kind, seen.guess])
        own[i + 2, j + 2, p] = surprise
        run = follow(run, surprise)
    keep_within_limits(weights)
    return state


@numba.njit(cache=True, nogil=True)
def _survivors(pairs: int, cost: Floats) -> Survivors:
    """Memory for a search over so many pairs."""
    return Survivors(cost, np.zeros(pairs, np.int64), np.zeros(pairs, np.uint8), np.zeros((pairs, 2, 2), np.int16))


@numba.njit(cache=True, nogil=True)
def encode_half(task: Task) -> None:
    """Search and code every position of a half; fills `task.written` and `task.learned`."""
    h, w, pairs = task.v.shape
    own, before, coded = task.learned.own, task.learned.before, task.written.coded
    reach = min(LOOK_PAIRS, pairs)
    near, near_next = np.zeros((3, pairs), np.int32), np.zeros((3, reach), np.int32)
    cost, unused = np.zeros(STATES, np.float32), np.zeros(reach, np.int16)
    here, beyond = _survivors(pairs, cost), _survivors(reach, cost)
    state = 0
    for i in range(h):
        for j in range(w):
            gather(i, j, own, before, near)
            cost[:] = _NEVER
            cost[state] = 0
            at = Position(i, j, near)
            end = _end(task, at, pairs)
            count = _advance(task, at, end, end, here, coded[i, j])
            i_next, j_next = (i, j + 1) if j + 1 < w else (i + 1, 0)
            count_next = 0
            if i_next < h:
                gather(i_next, j_next, own, before, near_next)
                after = Position(i_next, j_next, near_next)
                count_next = _advance(task, after, _end(task, after, reach), LOOK_AHEAD, beyond, unused)
            ahead = _trace(count_next, int(np.argmin(cost)), beyond, unused)
            _trace(count, ahead, here, coded[i, j])
            state = _commit(task, at, end, state)
