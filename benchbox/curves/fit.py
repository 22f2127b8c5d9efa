"""A rate-distortion curve as a function: the points that count, and the interpolations between them.

Sources: G. Bjøntegaard, VCEG-M33 (2001) for the cubic polynomial; VCEG-AI11 (2008) and JCTVC-L1100 for the piecewise
cubic (PCHIP), the default; C. Herglotz et al., arXiv:2202.12565, for Akima.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator

from benchbox.curves.pchip import pchip

Floats: TypeAlias = NDArray[np.float64]

Function: TypeAlias = Callable[[Floats], Any]

MIN_POINTS = 4
"""Fewest points of a curve: as many as VCEG-M33 fits its cubic through."""

RESOLUTION = 1e-6
"""Points closer than this share of the curve's span, in rate or in metric, count as one point; otherwise a rounding
difference would make the slope of the fit unbounded."""


def envelope(bpp: Floats, gain: Floats) -> NDArray[np.int64]:
    """Indices, by rising bpp, of the points that no other point dominates; `gain`: a metric whose higher values are
    better."""
    order = np.lexsort((-gain, bpp))
    best = np.maximum.accumulate(gain[order])
    new = np.r_[True, best[1:] > best[:-1]] if len(order) else np.zeros(0, dtype=bool)
    return np.asarray(order[new], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Fit:
    """A curve as a function y(x) with its antiderivative, or the reason why it has none; `dropped` counts dominated
    points."""

    x: Floats
    y: Floats
    dropped: int
    function: Function | None
    antiderivative: Function | None
    reason: str

    @property
    def range(self) -> tuple[float, float]:
        return (float(self.x[0]), float(self.x[-1])) if self.antiderivative else (np.nan, np.nan)


def points_apart(x: Floats, y: Floats) -> list[int]:
    """Indices of points of a rising curve that lie more than `RESOLUTION` of its span apart in both directions."""
    kept: list[int] = []
    span_x, span_y = (RESOLUTION * float(v[-1] - v[0]) if len(v) else 0.0 for v in (x, y))
    if ((x[1:] - x[:-1] > span_x) & (y[1:] - y[:-1] > span_y)).all():
        return list(range(len(x)))
    for k in range(len(x)):
        if not kept or (x[k] - x[kept[-1]] > span_x and y[k] - y[kept[-1]] > span_y):
            kept.append(k)
    return kept


def support(x: Floats, low: float, high: float) -> int:
    """Number of points that define the curve between `low` and `high`: those inside and the next on either side."""
    first = int(np.searchsorted(x, low, side="right")) - 1
    last = int(np.searchsorted(x, high, side="left"))
    return min(last, len(x) - 1) - max(first, 0) + 1


def _akima(x: Floats, y: Floats) -> tuple[Function, Function]:
    function = Akima1DInterpolator(x, y)
    return function, function.antiderivative()


def _cubic(x: Floats, y: Floats) -> tuple[Function, Function]:
    """A least-squares cubic, as in VCEG-M33; fitted on a scaled axis for its conditioning."""
    polynomial, _ = np.polynomial.Polynomial.fit(x, y, 3, full=True)  # "full" also silences the rank warning
    return polynomial, polynomial.integ()


@dataclass(frozen=True)
class Interpolation:
    """A way to draw a curve through points.

    Attributes:
        title: in sentences, e.g. ``"Akima"``.
        through: (x, y), P >= `MIN_POINTS` float64 each, both strictly rising -> the function and its antiderivative.
    """

    title: str
    through: Callable[[Floats, Floats], tuple[Function, Function]]


INTERPOLATIONS: Mapping[str, Interpolation] = {
    "pchip": Interpolation("piecewise cubic (PCHIP)", pchip),
    "akima": Interpolation("Akima", _akima),
    "cubic": Interpolation("least-squares cubic", _cubic),
}
"""The interpolations that a BD-rate can use; the first is the default. A new one needs a line here and a function
above; options, messages and the notes of reports follow from it."""
