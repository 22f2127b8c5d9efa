"""Our PCHIP equals scipy's on rising points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator, PPoly

from benchbox.curves.pchip import pchip

STEP = st.floats(1e-6, 1e6)


@given(st.lists(st.tuples(STEP, STEP), min_size=3, max_size=40), st.floats(-1e3, 1e3))
def test_it_is_the_interpolation_of_scipy(steps: list[tuple[float, float]], start: float) -> None:
    x, y = start + np.cumsum(np.array(steps), axis=0).T
    if not ((np.diff(x) > 0).all() and (np.diff(y) > 0).all()):
        return  # a step that is lost in rounding against the others
    function, area = pchip(x, y)
    known = PchipInterpolator(x, y)
    at = np.linspace(x[0], x[-1], 101)
    assert function(at) == pytest.approx(known(at), rel=1e-9, abs=1e-9 * np.ptp(y))
    assert area(at) == pytest.approx(known.antiderivative()(at), rel=1e-9, abs=1e-9 * np.ptp(y) * np.ptp(x))
    assert area(x[0]) == 0


@given(st.lists(st.tuples(STEP, STEP), min_size=3, max_size=40), st.lists(st.floats(-2, 3) | st.just(np.nan)))
def test_it_is_evaluated_as_scipy_does_digit_by_digit(steps: list[tuple[float, float]], places: list[float]) -> None:
    """At points, between them, beyond both ends, at no number, and at a single one."""
    x, y = np.cumsum(np.array(steps), axis=0).T
    if not ((np.diff(x) > 0).all() and (np.diff(y) > 0).all()):
        return
    at = np.r_[x, x[0] + np.array(places) * (x[-1] - x[0])]
    for mine in pchip(x, y):
        theirs = PPoly(mine.pieces, mine.x)
        np.testing.assert_array_equal(mine(at), theirs(at))
        np.testing.assert_array_equal(mine(at.reshape(1, -1)), theirs(at.reshape(1, -1)))
        assert mine(x[1]) == theirs(x[1])


def test_it_rises_where_its_points_do() -> None:
    x, y = np.array([0, 1, 1.001, 5.0]), np.array([0, 1e-3, 10, 10.001])
    assert (np.diff(pchip(x, y)[0](np.linspace(0, 5, 10_001))) >= 0).all()
