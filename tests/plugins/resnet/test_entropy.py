"""The entropy coder: any symbols under any tables come back, at the size that theory asks for."""

import numpy as np
import pytest
from benchbox_resnet.coding.entropy import SYMBOL_MAX, Decoder, Tables, encode, quantise_pmf
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbox.errors import CodecError, CorruptBitstream


def gaussian_tables() -> Tables:
    bounds, frequencies = [], []
    for scale in (0.11, 0.3, 0.8, 2.5, 9.0, 60.0):
        bound = int(5 * scale) + 2
        k = np.arange(-bound, bound + 1)
        pmf = np.exp(-0.5 * (k / scale) ** 2)
        frequencies.append(quantise_pmf(np.append(pmf / pmf.sum(), 1e-5)))
        bounds.append(bound)
    return Tables(np.array(bounds, np.int32), np.concatenate(frequencies))


TABLES = gaussian_tables()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-400, 400)), max_size=300), st.integers(0, 299))
def test_round_trip(pairs: list[tuple[int, int]], cut: int) -> None:
    ids = np.array([p[0] for p in pairs], np.uint16)
    symbols = np.array([p[1] for p in pairs], np.int32)
    decoder = Decoder(encode(symbols, ids, TABLES), TABLES)
    decoded = np.concatenate([decoder.take(ids[:cut]), decoder.take(ids[cut:])])
    decoder.finish()
    np.testing.assert_array_equal(decoded, symbols)


def test_extreme_symbols() -> None:
    symbols = np.array([SYMBOL_MAX, -SYMBOL_MAX, 0, 3, -4] * 50, np.int32)
    ids = np.zeros(len(symbols), np.uint16)
    decoder = Decoder(encode(symbols, ids, TABLES), TABLES)
    np.testing.assert_array_equal(decoder.take(ids), symbols)
    decoder.finish()
    with pytest.raises(ValueError, match="range"):
        encode(np.array([SYMBOL_MAX + 1], np.int32), ids[:1], TABLES)


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 6, n).astype(np.uint16)
    symbols = np.zeros(n, np.int32)
    for t in range(6):
        where = np.flatnonzero(ids == t)
        bound = int(TABLES.bounds[t])
        p = TABLES.frequencies[TABLES.offsets[t] : TABLES.offsets[t + 1] - 1].astype(float)
        symbols[where] = rng.choice(np.arange(-bound, bound + 1), len(where), p=p / p.sum())
    return symbols, ids


def test_size_is_the_entropy() -> None:
    symbols, ids = draw(50000, 1)
    bits = 16 - np.log2(TABLES.frequencies[TABLES.offsets[ids] + TABLES.bounds[ids] + symbols])
    assert len(encode(symbols, ids, TABLES)) * 8 == pytest.approx(bits.sum() + 64, rel=1e-3)
    costs = TABLES.costs(400)
    assert costs[ids, np.abs(symbols)].sum() == pytest.approx(bits.sum(), rel=1e-4)


def test_constriction_needs_as_many_bytes() -> None:
    """An independent coder, fed the same distributions, writes a stream of the same length."""
    constriction = pytest.importorskip("constriction")
    symbols, ids = draw(20000, 2)
    coder = constriction.stream.stack.AnsCoder()
    for t in range(6):
        start, stop, bound = TABLES.offsets[t], TABLES.offsets[t + 1], int(TABLES.bounds[t])
        p = TABLES.frequencies[start : stop - 1].astype(np.float32) / 65536
        model = constriction.stream.model.Categorical(p, perfect=False)
        coder.encode_reverse((symbols[ids == t] + bound).astype(np.int32), model)
    theirs = 4 * len(coder.get_compressed())
    assert len(encode(symbols, ids, TABLES)) == pytest.approx(theirs, rel=2e-3)


def test_damaged_streams_are_refused_or_differ() -> None:
    symbols, ids = draw(3000, 3)
    data = encode(symbols, ids, TABLES)
    with pytest.raises(CorruptBitstream):
        Decoder(data[:6], TABLES)
    with pytest.raises(CorruptBitstream):
        Decoder(data[:-1], TABLES)
    with pytest.raises(CorruptBitstream):
        Decoder(bytes(len(data)), TABLES)
    with pytest.raises(CorruptBitstream, match="ends before"):
        Decoder(data[: len(data) // 2 * 2 // 4 * 2], TABLES).take(ids)
    longer = Decoder(data + b"\0\0", TABLES)
    longer.take(ids)
    with pytest.raises(CorruptBitstream, match="holds more"):
        longer.finish()


@pytest.mark.parametrize("frequencies", [[65536], [0, 65536, 0, 0], [30000, 30000, 30000, 1], [65533, 1, 1]])
def test_bad_tables_are_refused(frequencies: list[int]) -> None:
    with pytest.raises(CodecError, match="frequencies"):
        Tables(np.array([1], np.int32), np.array(frequencies, np.int32))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=500).filter(lambda p: sum(p) > 0))
def test_quantised_probabilities(pmf: list[float]) -> None:
    counts = quantise_pmf(np.array(pmf))
    assert counts.sum() == 65536
    assert counts.min() >= 1
