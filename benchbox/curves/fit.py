"""A rate-distortion curve as a function: the points that count, and the interpolations between them.

Sources: G. Bjøntegaard, VCEG-M33 (2001) for the cubic polynomial; VCEG-AI11 (2008) and JCTVC-L1100 for the piecewise
cubic (PCHIP), the default; C. Herglotz et al., arXiv:2202.12565, for Akima.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox.curves.pchip import pchip

Floats: TypeAlias = NDArray[np.float64]

Function: TypeAlias = Callable[[Floats], Any]

MIN_POINTS = 4
"""Fewest points of a curve: as many as VCEG-M33 fits its cubic through."""

RESOLUTION = 1e-6
"""Points closer than this share of the curve's span, in rate or in metric, count as one point; otherwise a rounding
difference would make the slope of the fit unbounded. As with exactly equal values, the better of two points at one rate
is kept, and the cheaper of two at one metric value."""

SWING = 0.1
"""Farthest that a fit may leave the band between two neighbouring points, as a share of the span of its points. Of 878
published curves none leaves it by more than 0.091, most by less than 0.03."""

_LOOKS = np.arange(1, 16) / 16
"""Places between two neighbouring points at which a fit is evaluated to judge it."""


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
    astray: Floats = field(default_factory=lambda: np.zeros(0))
    """Rising x at which the function is farther than `SWING` from its points."""

    @property
    def range(self) -> tuple[float, float]:
        return (float(self.x[0]), float(self.x[-1])) if self.antiderivative else (np.nan, np.nan)

    def strays(self, low: Floats, high: Floats) -> NDArray[np.bool_]:
        """True for each pair of `low` and `high` between which the function leaves its points far behind."""
        if not len(self.astray):
            return np.zeros(len(low), dtype=bool)
        first, last = np.searchsorted(self.astray, low), np.searchsorted(self.astray, high, side="right")
        return np.asarray(first < last, dtype=bool)


def rises_apart(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """True for each curve whose points rise, each more than `RESOLUTION` of the span above the last in x and in y.
    `x` and `y` are (..., P), one curve along the last axis."""
    apart = [v[..., 1:] - v[..., :-1] > np.maximum(0, RESOLUTION * (v[..., -1:] - v[..., :1])) for v in (x, y)]
    return np.asarray((apart[0] & apart[1]).all(axis=-1), dtype=bool)


def points_apart(x: Floats, y: Floats) -> tuple[list[int], int]:
    """Indices of points of a rising curve that lie more than `RESOLUTION` of its span apart in both directions, and how
    many others were dropped as worse; points that are near in both directions are one point.

    Args:
        x: (P,) log10(bpp), `y`: (P,) a metric where more is better; both strictly rising.
    """
    if rises_apart(x, y):
        return list(range(len(x))), 0
    span_x, span_y = (RESOLUTION * float(v[-1] - v[0]) for v in (x, y))
    kept: list[int] = []
    dropped = 0
    for k in range(len(x)):
        dearer, better = (not kept or v[k] - v[kept[-1]] > span for v, span in ((x, span_x), (y, span_y)))
        if dearer and better:
            kept.append(k)
        elif better:  # at one rate
            kept[-1] = k
        dropped += dearer != better
    return kept, dropped


def astray(x: Floats, y: Floats, function: Function) -> Floats:
    """Rising x at which a fit of the points (x, y), both rising, leaves the band between its two neighbouring points by
    more than `SWING` of what the points span. Looked at within every piece and at the points."""
    inside = x[:-1, None] + (x[1:] - x[:-1])[:, None] * _LOOKS
    between = np.asarray(function(inside))
    allowed = SWING * float(y[-1] - y[0])
    out = (between > y[1:, None] + allowed) | (between < y[:-1, None] - allowed)
    at_points = np.abs(np.asarray(function(x)) - y) > allowed
    if not out.any() and not at_points.any():
        return np.zeros(0)
    return np.sort(np.r_[inside[out], x[at_points]])


def support(x: Floats, low: float, high: float) -> int:
    """Number of points that define the curve between `low` and `high`: those inside and the next on either side."""
    first = int(np.searchsorted(x, low, side="right")) - 1
    last = int(np.searchsorted(x, high, side="left"))
    return min(last, len(x) - 1) - max(first, 0) + 1


def _akima(x: Floats, y: Floats) -> tuple[Function, Function]:
    from scipy.interpolate import Akima1DInterpolator  # takes a quarter of a second, and few ask for Akima

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
        monotone: whether the function rises as its points do, so that it need not be judged.
        stacks: whether `benchbox.curves.pchip` fits many curves at once for it.
    """

    title: str
    through: Callable[[Floats, Floats], tuple[Function, Function]]
    monotone: bool = False
    stacks: bool = False

    def fit(self, x: Floats, y: Floats, dropped: int) -> Fit:
        """The fit of the points (x, y), `dropped` others left out."""
        function, antiderivative = self.through(x, y)
        away = np.zeros(0) if self.monotone else astray(x, y, function)
        return Fit(x, y, dropped, function, antiderivative, "", away)


INTERPOLATIONS: Mapping[str, Interpolation] = {
    "pchip": Interpolation("piecewise cubic (PCHIP)", pchip, monotone=True, stacks=True),
    "akima": Interpolation("Akima", _akima),
    "cubic": Interpolation("least-squares cubic", _cubic),
}
"""The interpolations that a BD-rate can use; the first is the default. A new one needs a line here and a function
above; options, messages and the notes of reports follow from it."""
