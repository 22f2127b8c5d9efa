"""Tables that learn from the picture: both sides choose the same ones, and bits are saved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchbox_resnet.coding.adapt import BANDS, FEATURES, bands, start
from benchbox_resnet.coding.adapter import Adapter
from benchbox_resnet.coding.entropy import Decoder, encode
from benchbox_resnet.coding.tables import build_tables, symbol_statistics
from benchbox_resnet.network.config import GRID, LATENT_TABLES, SCALE_COUNT, ModelConfig

from benchbox.errors import CorruptBitstream

CONFIG = ModelConfig(hyper=1, qualities=2)
TABLES = build_tables(CONFIG, np.zeros((2, 1)), np.ones((2, 1)))
COSTS = TABLES.costs(64)[:LATENT_TABLES]
STATISTICS = symbol_statistics(CONFIG, TABLES)
LIMIT = 32000
NEVER = SCALE_COUNT  # no table is wide enough for dependent quantisation


def adapter(unsent: np.ndarray, dependent_from: int = NEVER) -> Adapter:
    return Adapter(STATISTICS["features"], STATISTICS["expected"], unsent, dependent_from)


def written(
    halves: list[np.ndarray], guesses: list[np.ndarray], unsent: np.ndarray, worth: float = 1e6,
    dependent_from: int = NEVER,
) -> tuple[bytes, list[np.ndarray]]:  # fmt: skip
    """Stream and symbols of two halves; the default `worth` is so high that residuals are rounded to the nearest."""
    side, symbols, ids = adapter(unsent, dependent_from), [], []
    for second, (half, guess) in enumerate(zip(halves, guesses, strict=True)):
        s, coded, t = side.encode(half, guess, COSTS, np.full(len(unsent), worth, np.float32), LIMIT)
        sent = ~sent_not(half.shape, unsent, second)
        symbols.append(s)
        ids.append((coded[sent], t[sent]))
    flat = [np.concatenate(v) for v in zip(*ids, strict=True)]
    return encode(flat[0], flat[1].astype(np.uint16), TABLES), symbols


def sent_not(shape: tuple[int, ...], unsent: np.ndarray, second: int) -> np.ndarray:
    """(h, w, P): which symbols of a half are not in the stream."""
    rows, cols = np.arange(shape[0])[:, None], np.arange(shape[1])
    return unsent.reshape(-1, 2)[:, (rows + cols + second) & 1].transpose(1, 2, 0)


def read(
    data: bytes, guesses: list[np.ndarray], unsent: np.ndarray, dependent_from: int = NEVER
) -> list[np.ndarray]:  # fmt: skip
    decoder, side = Decoder(data, TABLES), adapter(unsent, dependent_from)
    out = [side.decode(decoder, guess, LIMIT) for guess in guesses]
    decoder.finish()
    return out


@pytest.mark.slow  # half a minute
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 7), st.integers(1, 7), st.integers(1, 40), st.floats(0, 9), st.booleans(),
       st.integers(0, SCALE_COUNT))  # fmt: skip
def test_what_is_written_is_read(
    seed: int, h: int, w: int, pairs: int, spread: float, gray: bool, dependent_from: int
) -> None:
    rng = np.random.default_rng(seed)
    wild = [rng.standard_cauchy((h, w, pairs)) * np.exp(spread) for _ in "12"]
    halves = [half.clip(-5e3, 5e3).astype(np.float32) for half in wild]
    guesses = [rng.integers(0, SCALE_COUNT, (h, w, pairs), np.uint8) for _ in "12"]
    unsent = rng.random(2 * pairs) < 0.3 if gray else np.zeros(2 * pairs, np.bool_)
    data, symbols = written(halves, guesses, unsent, dependent_from=dependent_from)
    decoded = read(data, guesses, unsent, dependent_from)
    for second, (half, guess, s, back) in enumerate(zip(halves, guesses, symbols, decoded, strict=True)):
        np.testing.assert_array_equal(s, back)
        missing = sent_not(half.shape, unsent, second)
        assert not s[missing].any()
        error = np.abs(s / GRID - half)
        assert error[~missing & (guess < dependent_from)].max(initial=0) < 0.501
        assert error[~missing].max(initial=0) < 1.34  # a step of one of two quantisers, when the state is bad luck


@pytest.mark.parametrize("true", [0.25, 0.6, 3.0, 40.0])
@pytest.mark.parametrize("wrong", [-6, 6])
def test_guesses_that_are_wrong_by_a_factor_of_two_are_corrected(true: float, wrong: int) -> None:
    rng = np.random.default_rng(4)
    halves = [rng.laplace(0, true / np.sqrt(2), (24, 24, 32)).astype(np.float32) for _ in "12"]
    right = round(np.log(true / 0.11) / 0.12304)
    bits = []
    for error in (0, wrong):
        guesses = [np.full((24, 24, 32), max(right + error, 0), np.uint8)] * 2
        bits.append(8 * len(written(halves, guesses, np.zeros(64, np.bool_))[0]))
    fixed = TABLES.costs(1024)[max(right + wrong, 0)]
    uncorrected = sum(fixed[np.abs(np.rint(half)).astype(int)].sum() for half in halves)
    assert bits[1] - bits[0] < 0.35 * abs(uncorrected - bits[0]) + 100


def test_a_picture_of_flat_and_busy_parts_costs_less_than_under_the_guess() -> None:
    rng = np.random.default_rng(5)
    busy = np.kron(rng.random((4, 4)) < 0.3, np.ones((8, 8)))[:, :, None] * 3 + 0.1
    halves = [(rng.laplace(0, 1, (32, 32, 24)) * busy).astype(np.float32) for _ in "12"]
    guesses = [np.full((32, 32, 24), 18, np.uint8)] * 2
    data, symbols = written(halves, guesses, np.zeros(48, np.bool_))
    guessed = sum(TABLES.costs(64)[18][np.minimum(np.abs(s) // GRID, 63)].sum() for s in symbols)
    assert 8 * len(data) < 0.8 * guessed


def test_nothing_that_a_stream_teaches_can_overflow() -> None:
    """Largest surprises of alternating sign, where features are largest: weights stay within their limit."""
    rng = np.random.default_rng(6)
    halves = [np.where(rng.random((40, 40, 8)) < 0.5, 3e4, 0).astype(np.float32) for _ in "12"]
    for guess, dependent_from in ((0, 64), (63, 64), (63, 0), (0, 0)):
        guesses, none = [np.full((40, 40, 8), guess, np.uint8)] * 2, np.zeros(16, np.bool_)
        data, symbols = written(halves, guesses, none, dependent_from=dependent_from)
        for s, back in zip(symbols, read(data, guesses, none, dependent_from), strict=True):
            np.testing.assert_array_equal(s, back)
            assert LIMIT / 2 - 100 < s.max() <= LIMIT  # what is too large is clipped


def test_wrong_guesses_and_short_streams_are_refused() -> None:
    rng = np.random.default_rng(7)
    halves = [rng.laplace(0, 3, (16, 16, 16)).astype(np.float32) for _ in "12"]
    guesses = [np.full((16, 16, 16), 25, np.uint8)] * 2
    none = np.zeros(32, np.bool_)
    data, _ = written(halves, guesses, none)
    with pytest.raises(CorruptBitstream, match="symbol"):
        read(data, [np.full((16, 16, 16), 40, np.uint8), guesses[1]], none)
    with pytest.raises(CorruptBitstream, match="ends before"):
        read(data[: len(data) // 4 * 2], guesses, none)


def test_a_symbol_beyond_the_limit_is_refused() -> None:
    half = np.full((1, 1, 1), 5200, np.float32)
    guesses = [np.full((1, 1, 1), 60, np.uint8)] * 2
    none = np.zeros(2, np.bool_)
    data, _ = written([half, half], guesses, none)
    with pytest.raises(CorruptBitstream, match="out of range"):
        adapter(none).decode(Decoder(data, TABLES), guesses[0], 15000)


def test_mean_colours_are_predicted_from_block_to_block() -> None:
    rng = np.random.default_rng(8)
    rows, cols = np.arange(24)[:, None, None], np.arange(24)[:, None]
    smooth = (3 * rows + 2 * cols + rng.normal(0, 0.6, (24, 24, 8))).astype(np.float32)
    guesses = [np.full(smooth.shape, 45, np.uint8)] * 2
    side = adapter(np.zeros(16, np.bool_))
    symbols, coded, _ = side.encode(smooth, guesses[0], COSTS, np.full(16, 1e6, np.float32), LIMIT)
    even = (rows + cols)[:, :, 0] % 2 == 0
    inside = np.zeros((24, 24), np.bool_)
    inside[2:, 2:-1] = True
    assert np.abs(coded[inside & even, 0] - 5).mean() < 3  # a slope is followed with a lag
    assert np.abs(coded[inside, 0] - 5).mean() < 3  # channel 1
    assert np.abs(coded[inside & even, 1] - 5).mean() < 3  # channel 2
    np.testing.assert_array_equal(GRID * coded[:, :, 2:], symbols[:, :, 2:])


def test_bands_are_narrow_where_the_variance_is_large() -> None:
    found = bands(224)
    assert list(found[:5]) == [0, 1, 2, 3, 4]
    assert (np.diff(found) >= 0).all()
    assert set(found) == set(range(BANDS))
    assert start(True).shape == (BANDS, FEATURES)
    assert start(False)[:, 5].any() == 0  # the first half has no other half to look at
