"""Which points a fit is drawn through where two are nearly one, and which fits are no curve."""

from __future__ import annotations

import json
from importlib import resources
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from benchbox.curves import INTERPOLATIONS, Curve, RateTable, bd_metric, bd_rate

RATES, VALUES = [100.0, 200.0, 400.0, 800.0, 1600.0], [30.0, 34.5, 36.0, 39.0, 41.0]


def curve(bpp: ArrayLike, value: ArrayLike, better: Literal["higher", "lower"] = "higher") -> Curve:
    rates, values = np.asarray(bpp, dtype=float), np.asarray(value, dtype=float)
    order = np.lexsort((np.arange(len(rates)), rates))
    rates, values = rates[order], values[order]
    ones = np.ones(len(rates), dtype=np.int64)
    return Curve("d", "a", "a", "psnr", better, None, ones.astype(float), rates, values, values, ones, 0 * ones)


@pytest.mark.parametrize("method", INTERPOLATIONS)
@pytest.mark.parametrize("better", ["higher", "lower"])
@given(place=st.integers(0, 4), eps=st.floats(-1e-7, 1e-7), worse=st.floats(0.1, 3))
def test_of_two_points_at_nearly_one_rate_the_better_counts(
    method: str, better: Literal["higher", "lower"], place: int, eps: float, worse: float
) -> None:
    """As at exactly one rate, wherever on the curve and whichever comes first."""
    sign = 1 if better == "higher" else -1
    near = curve([*RATES, RATES[place] * (1 + eps)], sign * np.array([*VALUES, VALUES[place] - worse]), better)
    equal = curve([*RATES, RATES[place]], sign * np.array([*VALUES, VALUES[place] - worse]), better)
    other = curve(0.8 * np.array(RATES), sign * np.array(VALUES), better)
    for delta in (bd_rate, bd_metric):
        found, wanted = delta(near, other, method), delta(equal, other, method)
        assert found.value == pytest.approx(wanted.value, rel=1e-5, abs=1e-4)
        assert found.dropped == wanted.dropped == 1
        assert found.flags == wanted.flags == ("non-monotone",)


@given(place=st.integers(1, 4), eps=st.floats(0, 1e-8), dearer=st.floats(1.01, 1.5))
def test_of_two_points_of_nearly_one_value_the_cheaper_counts(place: int, eps: float, dearer: float) -> None:
    near = curve([*RATES, RATES[place] * dearer], [*VALUES, VALUES[place] * (1 + eps)])
    found, clean = (bd_rate(one, curve(0.8 * np.array(RATES), VALUES)) for one in (near, curve(RATES, VALUES)))
    assert found.value == pytest.approx(clean.value, abs=1e-4)
    assert (found.dropped, found.flags) == (1, ("non-monotone",))


def test_points_that_are_one_in_both_are_not_counted_as_dropped() -> None:
    twice = curve([*RATES, 400 * (1 + 1e-9)], [*VALUES, 36 + 1e-8])
    found = bd_rate(twice, curve(0.8 * np.array(RATES), VALUES))
    assert (found.dropped, found.flags) == (0, ())
    assert found.value == pytest.approx(-20, abs=1e-5)


STEPS = [  # log10(bpp) and metric of curves with a step: a smooth fit swings out on both sides of it
    ([1.5, 1.501, 3.001, 3.002], [10, 15, 15.1, 25.1]),
    ([0.05, 0.051, 1.551, 1.552], [5, 15, 15.1, 25.1]),
]
LATE_STEP = ([0, 0.2, 0.4, 0.6, 0.8, 0.801, 2.3, 2.301], [30, 31, 32, 33, 38, 43, 43.1, 53.1])
SMOOTH = [(np.linspace(0, 1, 5), np.linspace(20, 40, 5)), (np.log10(RATES), VALUES)]


@pytest.mark.parametrize("method", INTERPOLATIONS)
@pytest.mark.parametrize(
    ("log_bpp", "values", "steps"), [*((*c, True) for c in STEPS), *((*c, False) for c in SMOOTH)]
)
def test_a_fit_is_judged_by_its_largest_excursion(
    method: str, log_bpp: ArrayLike, values: ArrayLike, steps: bool
) -> None:
    """Excursions up and down cancel in the mean, so that a number may look sound."""
    x, y = np.asarray(values, dtype=float), np.asarray(log_bpp, dtype=float)
    grid = np.linspace(x[0], x[-1], 5001)
    fitted = np.asarray(INTERPOLATIONS[method].through(x, y)[0](grid))
    excursion = max(float(fitted.max() - y[-1]), float(y[0] - fitted.min())) / (y[-1] - y[0])
    assert not 0.05 < excursion < 0.15  # clear cases
    shifted = curve(10 ** (y[0] + np.linspace(-0.1, y[-1] - y[0], 9)), np.linspace(x[0], x[-1], 9))
    table = RateTable([curve(10**y, x), shifted], method)
    away = excursion > 0.1
    for i, j in ((0, 1), (1, 0)):
        assert table.reason(i, j) == (f"the {method} fit leaves the range of its points" if away else "")
        assert (table.bd(i, j).value is None) == away
        assert np.isnan(table.log_ratios(i, j, grid[1:-1])).all() == away
    assert away == (method != "pchip" and steps)


def test_an_excursion_outside_the_overlap_costs_no_number() -> None:
    """The part of a curve that is not integrated may be drawn badly."""
    log_bpp, values = LATE_STEP
    step = curve(10 ** np.array(log_bpp), values)
    over_it = curve(np.geomspace(1, 200, 6), np.linspace(30, 53, 6))
    before_it = curve(np.geomspace(1, 3, 6), np.linspace(30, 33, 6))
    assert bd_rate(step, over_it, "akima").value is None
    assert bd_rate(step, before_it, "akima").value == pytest.approx(bd_rate(step, before_it).value, abs=2)


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_no_published_curve_is_refused(method: str) -> None:
    """Curves that a fit suits keep their numbers: all published ones on Kodak, each against the next."""
    text = resources.files("benchbox_literature").joinpath("curves.json").read_text(encoding="utf-8")
    curves = [curve(c["bpp"], c["metrics"]["psnr"]) for c in json.loads(text)
              if c["dataset"] == "kodak" and len(c["metrics"].get("psnr", ())) >= 4]  # fmt: skip
    assert len(curves) > 100
    table = RateTable(curves, method)
    refused = [k for k in range(len(curves) - 1) if "fit leaves" in table.reason(k, k + 1)]
    assert not refused
