"""The bootstrap over pictures draws in blocks what one call would draw, in memory that does not grow with the pictures."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from benchbox.curves import bootstrap_interval


def at_once(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    n = len(values)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    level = float(ndtr(-np.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.975)))
    return np.asarray(np.quantile(counts @ (values / n), [level, 1 - level], axis=0))


@pytest.mark.parametrize("pictures", [5, 24, 2999])
def test_blocks_draw_what_one_call_draws(pictures: int) -> None:
    values = np.random.default_rng(3).normal(-0.02, 0.1, (pictures, 3))
    np.testing.assert_allclose(bootstrap_interval(values, 7, 1000), at_once(values, 7, 1000), rtol=0, atol=1e-12)


def test_counts_are_held_a_block_at_a_time() -> None:
    values = np.random.default_rng(3).normal(-0.02, 0.1, (20_000, 1))
    tracemalloc.start()
    try:
        bootstrap_interval(values, resamples=300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 << 20, "all at once they take 2 x 48 MB"
