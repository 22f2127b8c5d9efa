"""Shifts of coding tables: what they save is what they say, and they travel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("torch")

from benchbox_resnet.bitstream import Stream
from benchbox_resnet.shifts import BANDS, LEAST, MOST, SIZE, bands, best_shifts, pack, shifted, unpack
from benchbox_resnet.tables import build_tables

from benchbox.errors import CorruptBitstream

shift_arrays = arrays(np.int8, BANDS, elements=st.integers(LEAST, MOST))


@given(shift_arrays, shift_arrays)
def test_they_travel(first: np.ndarray, second: np.ndarray) -> None:
    stream = Stream(b"abcd", 7, 300, 3, 5, b"symbols", shifts=pack(first, second))
    back = unpack(Stream.unpack(stream.pack()).shifts)
    np.testing.assert_array_equal(back, [first, second])
    assert len(stream.pack()) - len(Stream(b"abcd", 7, 300, 3, 5, b"symbols").pack()) == SIZE


def test_a_stream_that_ends_in_its_shifts() -> None:
    cut = Stream(b"abcd", 7, 300, 3, 5, b"", shifts=bytes(SIZE)).pack()
    for size in range(len(cut)):
        with pytest.raises(CorruptBitstream):
            Stream.unpack(cut[:size])


@given(st.integers(1, 400))
def test_bands_rise(pairs: int) -> None:
    found = bands(pairs)
    assert len(found) == pairs
    assert (np.diff(found) >= 0).all()
    assert found.max() < BANDS


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_best_are_best_and_save_what_they_say(seed: int, gray: bool) -> None:
    from benchbox_resnet.config import ModelConfig

    rng = np.random.default_rng(seed)
    tiny = ModelConfig(channels=8, blocks=1, deep_channels=8, latents=48, hyper=1, qualities=2)
    costs = build_tables(tiny, np.zeros((2, 1)), np.ones((2, 1))).costs(64)[:64]
    index = rng.integers(0, 64, (8, 6, 24)).astype(np.uint8)
    symbols = np.rint(rng.laplace(0, np.exp(rng.uniform(-2, 3, 24)), (8, 6, 24))).clip(-63, 63).astype(np.int16)
    sent = rng.random(index.shape) < 0.5 if gray else None

    def cost(shifts: np.ndarray) -> float:
        bits = costs[shifted(index, shifts), np.abs(symbols)]
        return float(bits[sent].sum() if sent is not None else bits.sum())

    found, saved = best_shifts(index, symbols, sent, costs)
    none = np.zeros(BANDS, np.int8)
    assert cost(none) - cost(found) == pytest.approx(saved, abs=0.5)
    for _ in range(5):
        assert cost(rng.integers(LEAST, MOST + 1, BANDS).astype(np.int8)) >= cost(found) - 0.5
