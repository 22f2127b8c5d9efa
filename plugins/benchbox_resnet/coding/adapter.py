"""The two halves of one picture in turn, from residuals to coded integers with their tables, and back: the interface to
`adapt` and `trellis`, and the decoder's loop."""

import numba
import numpy as np

from benchbox.errors import CorruptBitstream
from benchbox_resnet.coding.adapt import (
    PREDICTED,
    Flags,
    Half,
    Learned,
    Rules,
    bands,
    bordered,
    choose,
    follow,
    gather,
    keep_within_limits,
    latent,
    learn,
    magnitude,
    predict,
    start,
)
from benchbox_resnet.coding.dependent import NEXT, point
from benchbox_resnet.coding.entropy import Decoder, Ints, Lookup, Place, Words, locate, pull, pull_escape
from benchbox_resnet.coding.trellis import Costs, Floats, Indices, Prices, Task, Written, encode_half
from benchbox_resnet.network.config import GRID, SCALE_COUNT


@numba.njit(cache=True, nogil=True)
def _decode(
    guess: Indices, rules: Rules, learned: Learned, words: Words, place: Place, lookup: Lookup, limit: int,
    symbols: Half,
) -> tuple[Place, bool]:  # fmt: skip
    """Fill `symbols` and `learned`; returns the coder's place and whether every symbol was within +-limit. Stops early
    where the words run out (place beyond them) or a symbol exceeds the limit.

    (Groups are unpacked before the loop: inside, their arrays would be counted as references for every symbol.)
    """
    features, expected, band, unsent, dependent_from = rules
    second, before, own, weights = learned
    bounds, offsets, frequencies, cumulative, buckets = lookup
    at, state, other = place
    h, w, pairs = guess.shape
    near = np.zeros((3, pairs), np.int32)
    predicted, machine = 0 if second else PREDICTED, 0
    for i in range(h):
        for j in range(w):
            run = (0, 0)
            gather(i, j, own, before, near)
            for p in range(pairs):
                parity = (i + j + second) & 1
                if unsent[parity, p]:
                    continue
                seen = latent(guess[i, j, p], run, band[p], p)
                table, lively = choose(seen, near, weights)
                kind = 0 if seen.guess < dependent_from else 1 + (machine & 1)
                coded = table + SCALE_COUNT * kind
                owner = locate(coded, state & 0xFFFF, offsets, cumulative, buckets)
                left, at = pull(state, words, at, cumulative[owner], frequencies[owner])
                symbol = owner - offsets[coded] - bounds[coded]
                if owner == offsets[coded + 1] - 1:
                    symbol, left, at = pull_escape(left, words, at, bounds[coded])
                state, other = other, left
                if kind == 0:
                    symbol *= GRID
                else:
                    k, symbol = symbol, point(symbol, machine)
                    machine = NEXT[machine, k & 1]
                ahead = 0
                if 2 * p + parity < predicted:
                    ahead = GRID * predict(i, j, p, symbols)
                if max(abs(symbol), abs(symbol + ahead)) > limit:
                    return Place(at, state, other), False
                size = magnitude(features, symbol)
                if lively:
                    learn(seen, near, weights, table, size - expected[kind, table])
                symbols[i, j, p] = symbol + ahead
                surprise = int(size - expected[kind, seen.guess])
                own[i + 2, j + 2, p] = surprise
                run = follow(run, surprise)
            if at > len(words):
                return Place(at, state, other), True
            keep_within_limits(weights)
    return Place(at, state, other), True


class Adapter:
    """The two halves of one picture, in turn. Make one for each picture, on either side."""

    def __init__(self, features: Ints, expected: Ints, unsent: Flags, dependent_from: int) -> None:
        """`features` (n,): log2(1 + |s|) by magnitude on the grid, `expected` (3, 64): its mean under each kind of
        table, fixed-point (see `tables.symbol_statistics`); `unsent` (M,): latents that are not in the stream, whose
        symbols are 0; `dependent_from`: see `dependent`."""
        by_parity = np.ascontiguousarray(unsent.reshape(-1, 2).T)
        self._rules = Rules(features, expected.astype(np.int64), bands(len(unsent) // 2), by_parity, dependent_from)
        self._second = 0
        self._before = np.zeros((1, 1, 1), np.int16)

    def _begin(self, shape: tuple[int, ...]) -> Learned:
        """What is known at the beginning of the next half, (h, w, P)."""
        learned = Learned(self._second, self._before, bordered(shape), start(self._second == 1))
        self._second, self._before = 1, learned.own
        return learned

    def encode(
        self, v: Floats, guess: Indices, costs: Costs, worth: Floats, limit: int, local: Floats | None = None
    ) -> tuple[Half, Half, Indices]:
        """Residuals v, in rounding steps, and guessed tables (h, w, P) -> symbols on the grid, the integers coded for
        them, and their tables, (h, w, P) each.

        `costs` (192, n): bits by table and magnitude, `worth` (M,): bits that one squared rounding step of error is
        worth, times `local` (h, w), 1 where it is None; symbols lie within +-limit.
        """
        most = limit // (2 * GRID) - 8  # for a residual, and as much for its prediction
        by_parity = np.ascontiguousarray(worth.reshape(-1, 2).T)
        local = np.ones(v.shape[:2], np.float32) if local is None else local
        prices = Prices(costs.reshape(3, SCALE_COUNT, -1), by_parity, local, 2 * most)
        written = Written(np.zeros(v.shape, np.int16), np.zeros(v.shape, np.int16), np.zeros(v.shape, np.uint8))
        encode_half(Task(v, guess, self._rules, self._begin(v.shape), prices, written))
        return written.symbols, written.coded, written.taken

    def decode(self, decoder: Decoder, guess: Indices, limit: int) -> Half:
        """The inverse of `encode`: symbols (h, w, P) from the decoder, given the guessed tables. Raises
        CorruptBitstream where the stream ends early or a symbol exceeds +-limit."""
        symbols = np.zeros(guess.shape, np.int16)
        decoder.place, well = _decode(
            guess, self._rules, self._begin(guess.shape), decoder.words, decoder.place, decoder.tables.lookup, limit,
            symbols,
        )  # fmt: skip
        decoder.check()
        if not well:
            raise CorruptBitstream("a symbol is out of range")
        return symbols
