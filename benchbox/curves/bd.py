"""Bjøntegaard deltas between rate-distortion curves: BD-rate and BD-metric, with their overlap, point counts and flags.

BD-rate is the mean horizontal distance of two curves, over the values that both reach, of log10(bpp) as a function of
the metric; 10^mean - 1 is printed as percent. Negative: `test` needs fewer bits than `anchor` at equal metric.
BD-metric is the mean vertical distance over log10(bpp). A metric that is drawn in decibels (MS-SSIM) is integrated in
decibels.
Sources: G. Bjøntegaard, VCEG-M33 (2001) for the cubic polynomial; VCEG-AI11 (2008) and JCTVC-L1100 for the piecewise
cubic (PCHIP), the default here; C. Herglotz et al., arXiv:2202.12565, for Akima. Checked in tests against the package
``bjontegaard``.

Points: a point counts if it has a finite value and bpp > 0 and no other point dominates it, i.e. none has at most its
bpp and a metric at least as good, where bpp and metrics within `RESOLUTION` count as equal. The points that count rise
strictly. `Bd.dropped` is the number of dominated points (duplicates are one point); if there are any, the result has
the flag ``"non-monotone"``.

Overlap: the interval of metric values (for BD-metric, of log10(bpp)) that both curves cover, `Bd.low` to `Bd.high`;
`Bd.overlap` is its length over the length of the interval that either covers (1: both cover the same).

No number: with fewer than `MIN_POINTS` points, an overlap below `MIN_OVERLAP`, or a cubic or Akima fit that somewhere
in the overlap leaves the range of its neighbouring points by more than `SWING`, the value is None and `Bd.reason` says
why; it is never infinite. Weak numbers are flagged: ``"overlap"`` below `FLAG_OVERLAP`, ``"few points"`` where the
integrated part of either curve is drawn through fewer than `MIN_POINTS` points.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.curves.curve import Curve
from benchbox.curves.fit import INTERPOLATIONS, MIN_POINTS, Fit, Floats, envelope, points_apart, support
from benchbox.errors import UsageError

MIN_OVERLAP = 0.01
"""Smallest overlap that is integrated; a mean over less is a difference at one point, not of two curves."""

FLAG_OVERLAP = 0.5
"""Overlap below which a number has the flag ``"overlap"``."""


@dataclass(frozen=True)
class Bd:
    """One Bjøntegaard delta.

    Attributes:
        value: percent for BD-rate, the metric's drawn unit for BD-metric (test minus anchor); None with a `reason`.
        log_ratio: BD-rate as the mean of log10(bpp of test / bpp of anchor); None for BD-metric or with a reason.
        low, high: the overlap (metric values as drawn; log10(bpp) for BD-metric); None if there is none.
        overlap: 0 .. 1, see the module's docstring.
        n_anchor, n_test: number of points used; `dropped`: number of dominated points of both curves.
        flags: any of "overlap", "few points", "non-monotone".
        reason: why there is no value, or "".
    """

    value: float | None
    log_ratio: float | None
    low: float | None
    high: float | None
    overlap: float
    n_anchor: int
    n_test: int
    dropped: int
    flags: tuple[str, ...]
    reason: str


def percent(log_ratio: Any) -> Any:
    """A mean log10 rate ratio as percent of bits: 0 is equal, -50 half, 100 double. Scalar or array."""
    return 100 * np.expm1(np.log(10.0) * log_ratio)


def bd_rate(anchor: Curve, test: Curve, method: str = "pchip") -> Bd:
    """BD-rate of `test` against `anchor`; see the module's docstring. Raises UsageError for an unknown method."""
    return RateTable([anchor, test], method).bd(0, 1)


def bd_metric(anchor: Curve, test: Curve, method: str = "pchip") -> Bd:
    """BD-metric (BD-PSNR, BD-MS-SSIM ...) of `test` against `anchor`, in the unit in which the metric is drawn."""
    return MetricTable([anchor, test], method).bd(0, 1)


class _Table(ABC):
    """All deltas among C curves. Each curve is fitted once; a pair costs two evaluations of an antiderivative."""

    def __init__(self, curves: Sequence[Curve], method: str = "pchip") -> None:
        if method not in INTERPOLATIONS:
            raise UsageError(f"no BD interpolation is called '{method}'; take one of {', '.join(INTERPOLATIONS)}")
        self.curves = tuple(curves)
        self.method = method
        self.fits = tuple(self._fit(curve) for curve in curves)

    @abstractmethod
    def _xy(self, log_bpp: Floats, gain: Floats) -> tuple[Floats, Floats]:
        """(x, y): the variable of integration, rising, and the integrand."""

    def _fit(self, curve: Curve) -> Fit:
        keep = curve.usable
        bpp, gain = curve.bpp[keep], curve.value[keep] if curve.better == "higher" else -curve.value[keep]
        chosen, dropped = np.arange(len(bpp)), 0
        if not ((bpp[1:] > bpp[:-1]).all() and (gain[1:] > gain[:-1]).all()):  # most curves already rise strictly
            chosen = envelope(bpp, gain)
            dropped = len(set(zip(bpp.tolist(), gain.tolist(), strict=True))) - len(chosen)
        log_bpp, gain = np.log10(bpp[chosen]), gain[chosen]
        apart, near = points_apart(log_bpp, gain)
        dropped += near
        x, y = self._xy(log_bpp[apart], gain[apart])
        if len(x) < MIN_POINTS:
            few = f"{curve.label} has {len(x)} usable point{'' if len(x) == 1 else 's'}, {MIN_POINTS} are needed"
            return Fit(x, y, dropped, None, None, few)
        return INTERPOLATIONS[self.method].fit(x, y, dropped)

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """(C, C) lower and upper end of each pair's overlap, in the fit's x; NaN if a curve has no fit."""
        low, high = np.array([fit.range for fit in self.fits]).reshape(-1, 2).T
        return np.maximum.outer(low, low), np.minimum.outer(high, high)

    @cached_property
    def overlaps(self) -> Floats:
        """(C, C) overlap of each pair, 0 .. 1."""
        low, high = np.array([fit.range for fit in self.fits]).reshape(-1, 2).T
        union = np.maximum.outer(high, high) - np.minimum.outer(low, low)
        common = self.bounds[1] - self.bounds[0]
        return np.asarray(np.nan_to_num(np.clip(common, 0, None) / union, nan=0.0))

    @cached_property
    def deltas(self) -> Floats:
        """(C, C) mean of y_test - y_anchor over the overlap, rows anchor, columns test; NaN if there is no number."""
        low, high = self.bounds
        valid = self.overlaps >= MIN_OVERLAP
        area = np.full(low.shape, np.nan)
        for i, fit in enumerate(self.fits):
            if fit.antiderivative is not None and valid[i].any():
                ends = fit.antiderivative(np.stack([low[i, valid[i]], high[i, valid[i]]]))
                area[i, valid[i]] = ends[1] - ends[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            delta = (area.T - area) / (high - low)
        away = self._astray()
        return np.asarray(np.where(away | away.T, np.nan, delta))

    def _astray(self) -> NDArray[np.bool_]:
        """(C, C) whether the fit of the row's curve is far from its points somewhere in the pair's overlap, by its
        largest excursion: those up and down may cancel in the mean."""
        low, high = self.bounds
        return np.array([fit.strays(*ends) for fit, *ends in zip(self.fits, low, high, strict=True)]).reshape(low.shape)

    def _why(self, i: int, j: int) -> str:
        for fit in (self.fits[i], self.fits[j]):
            if fit.reason:
                return fit.reason
        if self.overlaps[i, j] == 0:
            return "the curves have no overlap"
        if self.overlaps[i, j] < MIN_OVERLAP:
            return f"the curves overlap by less than {MIN_OVERLAP:.0%}"
        return f"the {self.method} fit leaves the range of its points"

    def reason(self, i: int, j: int) -> str:
        """Why the delta of curve `j` against curve `i` is NaN, or ""."""
        return "" if np.isfinite(self.deltas[i, j]) else self._why(i, j)

    def flags(self, i: int, j: int) -> tuple[str, ...]:
        """The flags of the delta of curve `j` against curve `i`, as `Bd.flags`."""
        low, high = self.bounds[0][i, j], self.bounds[1][i, j]
        fits = (self.fits[i], self.fits[j])
        found = {
            "overlap": self.overlaps[i, j] < FLAG_OVERLAP,
            "few points": any(support(fit.x, low, high) < MIN_POINTS for fit in fits),
            "non-monotone": any(fit.dropped for fit in fits),
        }
        return tuple(name for name, holds in found.items() if holds)

    @abstractmethod
    def _value(self, delta: float) -> tuple[float, float | None]:
        """`Bd.value` and `Bd.log_ratio` of a mean difference."""

    @abstractmethod
    def _interval(self, low: Any, high: Any) -> tuple[Any, Any]:
        """The overlap as `Bd.low` and `Bd.high`; floats or arrays."""

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """(C, C) lower and upper end of each pair's overlap, as from `interval`; meaningless for pairs without one."""
        return self._interval(*self.bounds)

    def interval(self, i: int, j: int) -> tuple[float, float] | None:
        """The overlap of curves `i` and `j` as `Bd.low` and `Bd.high`; None if there is none."""
        if not self.overlaps[i, j] > 0:
            return None
        return self._interval(float(self.bounds[0][i, j]), float(self.bounds[1][i, j]))

    def bd(self, anchor: int, test: int) -> Bd:
        """The delta of curve `test` against curve `anchor` (indices into `curves`)."""
        i, j = anchor, test
        fits = self.fits[i], self.fits[j]
        shared = float(self.overlaps[i, j])
        low, high = self.interval(i, j) or (None, None)
        counts = len(fits[0].x), len(fits[1].x), fits[0].dropped + fits[1].dropped
        why = self.reason(i, j)
        if why:
            return Bd(None, None, low, high, shared, *counts, (), why)
        value, log_ratio = self._value(float(self.deltas[i, j]))
        return Bd(value, log_ratio, low, high, shared, *counts, self.flags(i, j), "")


class RateTable(_Table):
    """BD-rates of all against all: ``RateTable(curves, method)``, then `deltas` (log10 rate ratios, antisymmetric) as
    an array, or `bd(anchor, test)` for one pair. All curves must be of one metric and data set."""

    def _xy(self, log_bpp: Floats, gain: Floats) -> tuple[Floats, Floats]:
        return gain, log_bpp

    def _value(self, delta: float) -> tuple[float, float | None]:
        return float(percent(delta)), delta

    def _interval(self, low: Any, high: Any) -> tuple[Any, Any]:
        return (low, high) if self.curves[0].better == "higher" else (-high, -low)

    def log_ratios(self, anchor: int, test: int, values: Floats) -> Floats:
        """(P,) log10(bpp of `test` / bpp of `anchor`) at the metric `values` (P,), given as drawn; `deltas` is the mean
        of these. NaN outside the overlap, and everywhere if there is no BD-rate."""
        gain = values if self.curves[0].better == "higher" else -values
        anchored, tested = self.fits[anchor].function, self.fits[test].function
        if anchored is None or tested is None or not np.isfinite(self.deltas[anchor, test]):
            return np.full(len(values), np.nan)
        inside = (gain >= self.bounds[0][anchor, test]) & (gain <= self.bounds[1][anchor, test])
        return np.where(inside, np.asarray(tested(gain)) - np.asarray(anchored(gain)), np.nan)


class MetricTable(_Table):
    """BD-metrics of all against all, used like `RateTable`; `deltas` are gains, positive is better for any metric."""

    def _xy(self, log_bpp: Floats, gain: Floats) -> tuple[Floats, Floats]:
        return log_bpp, gain

    def _value(self, delta: float) -> tuple[float, float | None]:
        return (delta if self.curves[0].better == "higher" else -delta), None

    def _interval(self, low: Any, high: Any) -> tuple[Any, Any]:
        return low, high
