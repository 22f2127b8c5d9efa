"""The loops of `neighbours` compute the sums of surprises that their docstrings describe, in integers."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.coding.exact import SYMBOL_UNKNOWN
from benchbox_resnet.coding.neighbours import surprises, weigh

BITS, UNIT = 10, 2.0**-6


@pytest.mark.parametrize("window", [1, 3, 5, 7])
@pytest.mark.parametrize("size", [(2, 2), (4, 4), (6, 10), (12, 4)])
def test_sums_are_those_of_the_known_symbols_around(size: tuple[int, int], window: int) -> None:
    h, w, channels, border = *size, 6, window // 2
    rng = np.random.default_rng(window)
    features, expected = rng.integers(0, 500, 9, np.int32), rng.integers(0, 500, 64, np.int32)
    weights = rng.integers(-8000, 8000, (channels, window, window), np.int32)
    t1 = rng.uniform(0, 63.9, (h, w, channels))
    symbols = rng.integers(-30, 31, (h, w, channels), np.int16)
    i, j, c = np.indices(symbols.shape)
    known = (i + j + c) % 2 == 0
    symbols[~known] = SYMBOL_UNKNOWN
    plain = np.where(known, features[np.minimum(np.abs(symbols.astype(int)), 8)] - expected[t1.astype(int)], 0)
    around = np.pad(plain, ((border, border), (border, border), (0, 0)))
    sums = sum(around[y : y + h, x : x + w] * weights[:, y, x] for y in range(window) for x in range(window))
    rounded = np.floor(np.asarray(sums) / 2**BITS + 0.5)

    seen = np.zeros((2, h + 2 * border, w + 2 * border, channels // 2), np.int32)
    surprises(symbols, t1, features, expected, seen)
    by_place = weights.transpose(1, 2, 0).reshape(window, window, channels // 2, 2).transpose(0, 1, 3, 2)
    out = np.full((4, h * w // 4, 3 * channels // 2), np.nan)
    weigh(seen, np.ascontiguousarray(by_place), BITS, UNIT, out)

    for corner, (y, x) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        even, odd, here = np.split(out[corner].reshape(h // 2, w // 2, -1) / UNIT, 3, axis=2)
        assert np.array_equal(even, rounded[y::2, x::2, ::2])
        assert np.array_equal(odd, rounded[y::2, x::2, 1::2])
        assert np.array_equal(here, plain[y::2, x::2, (y + x) % 2 :: 2])
