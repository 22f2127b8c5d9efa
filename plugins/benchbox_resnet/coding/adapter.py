"""The two halves of one picture in turn, from residuals to coded integers with their tables, and back (see `adapt`,
`trellis`)."""

import numba
import numpy as np

from benchbox.errors import CorruptBitstream
from benchbox_resnet.coding.adapt import (
    FORETOLD,
    Half,
    Wide,
    around,
    bands,
    bordered,
    choose,
    foretell,
    gather,
    keep_within_limits,
    learn,
    start,
)
from benchbox_resnet.coding.entropy import Decoder, Ints, Words, locate, pull, pull_escape
from benchbox_resnet.coding.trellis import NEXT, Costs, Flags, Floats, Indices, encode_half, point
from benchbox_resnet.network.config import GRID, SCALE_COUNT


@numba.njit(cache=True, nogil=True)
def _decode(
    guess: Indices, unsent: Flags, second: int, before: Half, features: Ints, expected: Wide, band: Wide,
    weights: Wide, dependent_from: int, words: Words, at: int, state: int, other: int, limit: int,
    bounds: Ints, offsets: Ints, freq: Ints, cum: Ints, buckets: Ints, symbols: Half, own: Half,
) -> tuple[int, int, int, bool]:  # fmt: skip
    """Fill `symbols` and `own`; returns place, states and whether all went well. Stops early where the words run out
    (place beyond them) or a symbol exceeds the limit."""
    h, w, pairs = guess.shape
    near = np.zeros((3, pairs), np.int32)
    foretold, machine = 0 if second else FORETOLD, 0
    for i in range(h):
        for j in range(w):
            run_short = run_long = 0
            gather(i, j, own, before, near)
            for p in range(pairs):
                parity = (i + j + second) & 1
                if unsent[parity, p]:
                    continue
                start, b = int(guess[i, j, p]), band[p]
                short, long, table = (run_short + 8) >> 4, (run_long + 32) >> 6, start
                lively = (start | short | long | near[0, p] | near[1, p] | near[2, p]) != 0
                if lively:
                    table = choose(start, around(start, near, weights, b, p), short, long, weights, b)
                kind = 0 if start < dependent_from else 1 + (machine & 1)
                coded = table + SCALE_COUNT * kind
                place = locate(coded, state & 0xFFFF, offsets, cum, buckets)
                left, at = pull(state, words, at, cum[place], freq[place])
                symbol = place - offsets[coded] - bounds[coded]
                if place == offsets[coded + 1] - 1:
                    symbol, left, at = pull_escape(left, words, at, bounds[coded])
                state, other = other, left
                if kind == 0:
                    symbol *= GRID
                else:
                    k, symbol = symbol, point(symbol, machine)
                    machine = NEXT[machine, k & 1]
                ahead = 0
                if 2 * p + parity < foretold:
                    ahead = GRID * foretell(i, j, p, symbols)
                if max(abs(symbol), abs(symbol + ahead)) > limit:
                    return at, state, other, False
                seen = features[min(abs(symbol), len(features) - 1)]
                if lively:
                    learn(start, short, long, near, weights, b, p, table, seen - expected[kind, table])
                symbols[i, j, p] = symbol + ahead
                new = int(seen - expected[kind, start])
                own[i + 2, j + 2, p] = new
                run_short += ((new << 4) - run_short) >> 2
                run_long += ((new << 6) - run_long) >> 4
            if at > len(words):
                return at, state, other, False
            keep_within_limits(weights)
    return at, state, other, True


class Adapter:
    """The two halves of one picture, in turn. Make one for each picture, on either side."""

    def __init__(self, features: Ints, expected: Ints, unsent: Flags, dependent_from: int) -> None:
        """`features` (n,): log2(1 + |s|) by magnitude on the grid, `expected` (3, 64): its mean under each kind of
        table, fixed-point (see `tables.symbol_statistics`); `unsent` (M,): latents that are not in the stream, their
        symbols are 0; `dependent_from`: see `trellis`."""
        self._features, self._expected = features, expected.astype(np.int64)
        self._unsent = np.ascontiguousarray(unsent.reshape(-1, 2).T)
        self._band = bands(len(unsent) // 2)
        self._dependent_from = dependent_from
        self._second = 0
        self._before = np.zeros((1, 1, 1), np.int16)

    def encode(self, v: Floats, guess: Indices, costs: Costs, worth: Floats, limit: int) -> tuple[Half, Half, Indices]:
        """Residuals v, in rounding steps, and guessed tables (h, w, P) -> symbols on the grid of `trellis`, what is
        coded of them, and the tables that takes.

        `costs` (192, n): bits by table and magnitude, `worth` (M,): bits that one squared step of error is worth;
        symbols lie within +-limit.
        """
        symbols, own = np.zeros(v.shape, np.int16), bordered(v.shape)
        coded, taken = np.zeros(v.shape, np.int16), np.zeros(v.shape, np.uint8)
        by_parity = np.ascontiguousarray(worth.reshape(-1, 2).T)
        most = limit // (2 * GRID) - 8  # a residual and what is foretold of it, each
        encode_half(
            v, guess, self._unsent, self._second, self._before, self._features, self._expected,
            self._band, start(self._second == 1), costs.reshape(3, SCALE_COUNT, -1), by_parity,
            self._dependent_from, 2 * most, symbols, coded, taken, own,
        )  # fmt: skip
        self._second, self._before = 1, own
        return symbols, coded, taken

    def decode(self, decoder: Decoder, guess: Indices, limit: int) -> Half:
        """The inverse: symbols (h, w, P) from the decoder, given the guessed tables."""
        symbols, own = np.zeros(guess.shape, np.int16), bordered(guess.shape)
        t = decoder.tables
        decoder.at, decoder.state, decoder.other, well = _decode(
            guess, self._unsent, self._second, self._before, self._features, self._expected, self._band,
            start(self._second == 1), self._dependent_from, decoder.words, decoder.at, decoder.state, decoder.other,
            limit, t.bounds, t.offsets, t.frequencies, t.cumulative, t.buckets, symbols, own,
        )  # fmt: skip
        decoder.check()
        if not well:
            raise CorruptBitstream("a symbol is out of range")
        self._second, self._before = 1, own
        return symbols
