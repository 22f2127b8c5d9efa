"""Table-indexed integer rANS: symbols to bytes and back, each symbol under its own table.

A table is a list of 16-bit frequencies over the symbols -bound .. bound and one escape; a symbol outside is coded as
the escape, then sign, length and bits of the excess at even odds. Two coder states take turns, so that their latencies
overlap. Everything is integer arithmetic: a stream decodes to the same symbols on every machine, provided that the
decoder is given the table numbers that the encoder used.

Source: Duda, "Asymmetric numeral systems" (arXiv 1311.2540), range variant with 32-bit states and 16-bit words.
"""

import dataclasses
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from benchbox.errors import CodecError, CorruptBitstream

PRECISION = 16
TOTAL = 1 << PRECISION
#: Largest magnitude of a symbol, in a table or not.
SYMBOL_MAX = (1 << 20) - 1
_LOW = 1 << 16  # states live in [2^16, 2^32)
_STATE_BYTES = 8  # two states end a stream
_BUCKETS = 256  # start of the search for a symbol, by the leading 8 bits of its slot

Ints = npt.NDArray[np.int32]
AnyInts = npt.NDArray[np.signedinteger[Any]]
TableIds = npt.NDArray[np.uint16]
Words = npt.NDArray[np.uint16]
#: A coder's state, and what is added to it.
State = np.uint32


class Lookup(NamedTuple):
    """What a decoder reads of a set of tables: `bounds` and `frequencies` as in `Tables`; `offsets` (T + 1,) at which
    each table begins; `cumulative` frequencies within each table; `buckets` (T, 256), see `_find_buckets`."""

    bounds: Ints
    offsets: Ints
    frequencies: Ints
    cumulative: Ints
    buckets: Ints


class Place(NamedTuple):
    """A decoder's place in a stream: the next word, the state whose turn it is, and the other state."""

    at: int
    state: int
    other: int


@dataclasses.dataclass(frozen=True)
class Tables:
    """A set of T frozen tables, laid end to end.

    `bounds` (T,): largest magnitude in each table; `frequencies`: for each table 2 * bound + 2 numbers that sum to
    65536, for the symbols -bound .. bound and the escape. Raises CodecError where they are no such tables.
    """

    bounds: Ints
    frequencies: Ints
    offsets: Ints = dataclasses.field(init=False)
    cumulative: Ints = dataclasses.field(init=False)
    lookup: Lookup = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        sizes = 2 * self.bounds.astype(np.int64) + 2
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        if len(self.bounds) == 0 or self.bounds.min() < 0 or offsets[-1] != len(self.frequencies):
            raise CodecError("resnet: the frequencies of these weights do not fit the bounds of their tables")
        if self.frequencies.min() < 1 or (np.add.reduceat(self.frequencies, offsets[:-1]) != TOTAL).any():
            raise CodecError("resnet: a coding table of these weights has frequencies that do not sum to 65536, or a 0")
        before = np.concatenate([[0], np.cumsum(self.frequencies, dtype=np.int64)])[:-1]
        start = np.repeat(np.arange(len(sizes), dtype=np.int64) * TOTAL, sizes)
        object.__setattr__(self, "offsets", offsets.astype(np.int32))
        object.__setattr__(self, "cumulative", (before - start).astype(np.int32))
        buckets = _find_buckets(self.offsets, self.cumulative)
        object.__setattr__(
            self, "lookup", Lookup(self.bounds, self.offsets, self.frequencies, self.cumulative, buckets)
        )

    def least_bits(self) -> npt.NDArray[np.float64]:
        """(T,) bits of the cheapest symbol of each table."""
        return PRECISION - np.log2(np.maximum.reduceat(self.frequencies, self.offsets[:-1]))

    def costs(self, width: int) -> npt.NDArray[np.float32]:
        """(T, width) bits of symbols of magnitude 0 .. width - 1 (mean of both signs); escapes are estimated."""
        out = np.zeros((len(self.bounds), width), np.float32)
        for t, bound in enumerate(self.bounds.tolist()):
            bits = PRECISION - np.log2(self.frequencies[self.offsets[t] : self.offsets[t + 1]])
            both = (bits[bound::-1] + bits[bound:-1]) / 2
            reach = min(width, bound + 1)
            out[t, :reach] = both[:reach]
            out[t, reach:] = bits[-1] + 6 + np.floor(np.log2(np.arange(1, width - reach + 1)))
        return out


def quantise_pmf(pmf: npt.NDArray[np.float64]) -> Ints:
    """Probabilities (n,) of the symbols and, last, of the escape -> positive integers (n,) that sum to 65536."""
    n = len(pmf)
    if n > TOTAL // 2:
        raise ValueError(f"{n} symbols are too many for {PRECISION}-bit tables")
    scaled = pmf / pmf.sum() * (TOTAL - n)
    counts = np.floor(scaled).astype(np.int64) + 1
    rest = TOTAL - int(counts.sum())
    counts[np.argsort(np.floor(scaled) - scaled, kind="stable")[:rest]] += 1
    return np.asarray(counts, np.int32)


def _find_buckets(offsets: Ints, cumulative: Ints) -> Ints:
    """(T, 256): index of the first symbol that can own a slot, by the leading 8 bits of the slot."""
    tables = np.arange(len(offsets) - 1, dtype=np.int64) * TOTAL
    rising = cumulative + np.repeat(tables, np.diff(offsets))
    slots = np.arange(_BUCKETS, dtype=np.int64) << (PRECISION - 8)
    return (np.searchsorted(rising, tables[:, None] + slots, side="right") - 1).astype(np.int32)


@numba.njit(cache=True)
def _push(state: State, words: Words, at: int, start: State, frequency: State) -> tuple[State, int]:
    """Code one interval; words are written backwards. Returns the new state and the index of the last word written.

    All but the index are uint32: numba's default integers have 64 bits, whose division is several times as slow.
    """
    words[at - 1] = np.uint16(state & np.uint32(0xFFFF))
    if state >> np.uint32(PRECISION) >= frequency:
        at -= 1
        state = np.uint32(state >> np.uint32(16))
    quotient = np.uint32(state // frequency)
    return np.uint32(state + quotient * np.uint32(np.uint32(TOTAL) - frequency) + start), at


@numba.njit(cache=True)
def _push_escape(state: State, words: Words, at: int, symbol: int, bound: int) -> tuple[State, int]:
    """Code sign, length and bits of the excess of a symbol over the bound, last part first."""
    excess = abs(symbol) - bound  # >= 1
    length, even_odds = 0, np.uint32(1 << 15)
    while excess >> (length + 1):
        length += 1
    for i in range(length):
        bit = (excess >> i) & 1
        state, at = _push(state, words, at, np.uint32(bit << 15), even_odds)
    state, at = _push(state, words, at, np.uint32(length << 11), np.uint32(1 << 11))
    return _push(state, words, at, even_odds if symbol < 0 else np.uint32(0), even_odds)


@numba.njit(cache=True)
def _encode(symbols: AnyInts, ids: TableIds, bounds: Ints, offsets: Ints, freq: Ints, cum: Ints) -> Words:
    escapes = 0
    for i in range(len(symbols)):
        escapes += abs(int(symbols[i])) > bounds[ids[i]]
    # at most one word per symbol and two more per escape; growing the array would count references for every symbol
    words = np.empty(len(symbols) + 2 * escapes + 8, np.uint16)
    at = len(words)
    state, other = np.uint32(_LOW), np.uint32(_LOW)  # the state whose turn it is, and the other one
    for i in range(len(symbols) - 1, -1, -1):
        table, symbol = ids[i], int(symbols[i])
        bound = bounds[table]
        place = offsets[table] + bound + symbol
        if symbol > bound or symbol < -bound:
            state, at = _push_escape(state, words, at, symbol, bound)
            place = offsets[table] + 2 * bound + 1
        state, at = _push(state, words, at, np.uint32(cum[place]), np.uint32(freq[place]))
        state, other = other, state
    at -= 4  # the first symbol was coded with what is now the other state; a decoder begins with it
    words[at], words[at + 1] = other & np.uint32(0xFFFF), other >> np.uint32(16)
    words[at + 2], words[at + 3] = state & np.uint32(0xFFFF), state >> np.uint32(16)
    return words[at:]


@numba.njit(cache=True)
def pull_escape(state: int, words: Words, at: int, bound: int) -> tuple[int, int, int]:
    """The inverse of `_push_escape`: symbol, state, index of the next word (beyond the words when they run out)."""
    negative = (state >> 15) & 1
    state, at = pull(state, words, at, negative << 15, 1 << 15)
    length = (state & 0xFFFF) >> 11
    state, at = pull(state, words, at, length << 11, 1 << 11)
    excess = 1
    for _ in range(length):
        bit = (state >> 15) & 1
        state, at = pull(state, words, at, bit << 15, 1 << 15)
        excess = 2 * excess + bit
    return (-(bound + excess) if negative else bound + excess), state, at


@numba.njit(cache=True)
def pull(state: int, words: Words, at: int, start: int, frequency: int) -> tuple[int, int]:
    """Take one interval off the state and refill it; returns state and index of the next word."""
    state = frequency * (state >> PRECISION) + (state & 0xFFFF) - start
    if state < _LOW:
        if at < len(words):
            state = int((state << 16) | np.int64(words[at]))
        at += 1
    return state, at


@numba.njit(cache=True)
def locate(table: int, slot: int, offsets: Ints, cumulative: Ints, buckets: Ints) -> int:
    """Index of the symbol that owns a slot 0 .. 65535 of a table, among the symbols of all tables."""
    owner = buckets[table, slot >> (PRECISION - 8)]
    last = offsets[table + 1] - 1
    while owner < last and cumulative[owner + 1] <= slot:
        owner += 1
    return int(owner)


@numba.njit(cache=True)
def _decode(ids: TableIds, words: Words, place: Place, lookup: Lookup, out: Ints) -> Place:
    """Fill `out` (n,) and return the place after it; stops early, beyond the words, when they run out."""
    bounds, offsets, frequencies, cumulative, buckets = lookup
    at, state, other = place
    for i in range(len(ids)):
        table = ids[i]
        owner = locate(table, state & 0xFFFF, offsets, cumulative, buckets)
        left, at = pull(state, words, at, cumulative[owner], frequencies[owner])
        symbol = owner - offsets[table] - bounds[table]
        if owner == offsets[table + 1] - 1:
            symbol, left, at = pull_escape(left, words, at, bounds[table])
        out[i] = symbol
        state, other = other, left
        if at > len(words):
            break
    return Place(at, state, other)


def encode(symbols: AnyInts, ids: TableIds, tables: Tables) -> bytes:
    """Symbols (n,) int16 or int32 under the tables `ids` (n,) -> bytes; they are decoded in the same order."""
    if len(symbols) != len(ids):
        raise ValueError(f"{len(symbols)} symbols, {len(ids)} table numbers")
    largest = max(int(symbols.max()), -int(symbols.min())) if len(symbols) else 0
    if largest > SYMBOL_MAX or (len(ids) and int(ids.max()) >= len(tables.bounds)):
        raise ValueError("a table number or a symbol is out of range")
    words: Words = _encode(symbols, ids, tables.bounds, tables.offsets, tables.frequencies, tables.cumulative)
    return words.astype("<u2").tobytes()


class Decoder:
    """Returns the symbols of one stream, in any number of portions. `adapter` moves `place` on in `words` itself."""

    def __init__(self, data: bytes, tables: Tables) -> None:
        """Raises CorruptBitstream where `data` does not begin with two coder states."""
        if len(data) < _STATE_BYTES or len(data) % 2:
            raise CorruptBitstream(f"the symbol section has {len(data)} bytes: too few, or an odd number")
        words = np.frombuffer(data, "<u2")
        self.place = Place(0, int(words[0]) | int(words[1]) << 16, int(words[2]) | int(words[3]) << 16)
        if min(self.place.state, self.place.other) < _LOW:
            raise CorruptBitstream("the symbol section does not begin with two coder states")
        self.words, self.tables = words[4:].astype(np.uint16), tables

    def take(self, ids: TableIds) -> Ints:
        """The next symbols (n,), one for each table number in `ids` (n,)."""
        out = np.zeros(len(ids), np.int32)
        self.place = _decode(ids, self.words, self.place, self.tables.lookup, out)
        self.check()
        return out

    def check(self) -> None:
        """Raise CorruptBitstream where the stream has run out."""
        if self.place.at > len(self.words):
            raise CorruptBitstream("the symbol section ends before its last symbol")

    def finish(self) -> None:
        """Raise CorruptBitstream unless the stream is used up, to the bit."""
        if self.place != (len(self.words), _LOW, _LOW):
            raise CorruptBitstream("the symbol section holds more than these symbols")
