"""The deltas of many pictures, fitted together, are to the last digit those of each picture's own table."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbox.curves import INTERPOLATIONS, Curve, PictureTable, RateTable

FAULTS = ("none", "none", "none", "a value is missing", "falls", "twice the same", "nearly one point", "no rate",
          "few points", "no curve", "far above")  # fmt: skip
Better = Literal["higher", "lower"]


def one_curve(rng: np.random.Generator, points: int, fault: str, better: Better, label: str, sample: str) -> Curve:
    bpp = 2.0 ** (np.arange(points) / 3 - 3) * np.exp(rng.normal(0, 0.05))
    gain = 30 + 4 * np.log2(bpp) + np.cumsum(rng.uniform(0, 0.3, points)) + rng.normal()
    k = int(rng.integers(1, points))
    if fault == "a value is missing":
        gain[k] = np.nan
    elif fault == "falls":
        gain[k] = gain[k - 1] - 0.1
    elif fault == "twice the same":
        bpp[k], gain[k] = bpp[k - 1], gain[k - 1]
    elif fault == "nearly one point":
        bpp[k] = bpp[k - 1] * (1 + 1e-9)
    elif fault == "no rate":
        bpp[0] = 0.0
    elif fault == "few points":
        bpp, gain = bpp[:3], gain[:3]
    elif fault == "far above":
        gain = gain + 500
    n = np.ones(len(bpp), dtype=np.int64)
    value, quality = gain if better == "higher" else -gain, np.arange(len(bpp), dtype=np.float64)
    return Curve("d", label, "c", "m", better, sample, quality, bpp, value, value, n, 1 - n)


@pytest.mark.parametrize("method", INTERPOLATIONS)
@pytest.mark.parametrize("better", ["higher", "lower"])
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(4, 12), min_size=1, max_size=4), st.integers(1, 7))
@settings(max_examples=15, deadline=None)
def test_each_picture_has_the_numbers_of_its_own_table(
    method: str, better: Better, seed: int, points: list[int], pictures: int
) -> None:
    rng = np.random.default_rng(seed)
    curves: dict[tuple[str, str], Curve] = {}
    for sample in map(str, range(pictures)):
        for label, count in zip("abcd", points, strict=False):
            fault = str(rng.choice(FAULTS))
            if fault != "no curve":
                curves[sample, label] = one_curve(rng, count, fault, better, label, sample)
    together = PictureTable(list(curves.values()), method)
    for s, sample in enumerate(together.samples):
        own = [label for label in together.labels if (sample, label) in curves]
        table = RateTable([curves[sample, label] for label in own], method)
        places = np.ix_([together.labels.index(label) for label in own], [together.labels.index(x) for x in own])
        np.testing.assert_array_equal(together.log_ratios[s][places], table.deltas)
        np.testing.assert_array_equal(together.overlaps[s][places], table.overlaps)
        absent = [k for k, label in enumerate(together.labels) if label not in own]
        assert np.isnan(together.log_ratios[s][absent]).all()
        assert np.isnan(together.log_ratios[s][:, absent]).all()
        for i, anchor in enumerate(own):
            for j, test in enumerate(own):
                assert together.summary(anchor, test).left_out.get(sample, "") == table.reason(i, j)
