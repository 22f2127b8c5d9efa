"""The deltas of many pictures at once: what `RateTable` gives for each of them, computed over arrays.

A report of a million points has a hundred thousand curves, and numpy spends more on being called for each of them than
on the numbers. Curves of equally many points that rise strictly, which are nearly all of a run's, are fitted together
and evaluated together, with the operations that a single fit takes, in the same order; the others are fitted one by
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox.curves.bd import MIN_OVERLAP, RateTable
from benchbox.curves.curve import Curve
from benchbox.curves.fit import INTERPOLATIONS, MIN_POINTS, Fit, rises_apart
from benchbox.curves.pchip import antiderivatives, values_at

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_BLOCK = 4096
"""Most curves that are fitted and evaluated together."""


@dataclass(frozen=True, eq=False)
class _Group:
    """K fits of P points each.

    Attributes:
        indices: (2, K) picture and codec of each.
        x: (K, P) where each has its points.
        pieces: (5, K, P - 1) its antiderivative.
    """

    indices: Ints
    x: Floats
    pieces: Floats


class StackedTables:
    """BD-rates of C codecs against each other on each of S pictures.

    Args:
        curves: the curves, of one metric and data set, by picture and codec.
        shape: S and C.
        method: one of `INTERPOLATIONS`.
    """

    def __init__(self, curves: Mapping[tuple[int, int], Curve], shape: tuple[int, int], method: str) -> None:
        self._better = next((curve.better for curve in curves.values()), "higher")
        self._low, self._high = np.full(shape, np.nan), np.full(shape, np.nan)
        self._groups: list[_Group] = []
        self._single: list[tuple[tuple[int, int], Fit]] = []
        for members in _blocks(curves):
            fitted = np.zeros(len(members), dtype=bool)
            if method in INTERPOLATIONS and INTERPOLATIONS[method].stacks:
                fitted = self._fit_together([curves[cell] for cell in members], np.array(members))
            for k in np.flatnonzero(~fitted):
                self._fit_alone(curves[members[k]], members[k], method)

    def _fit_together(self, curves: Sequence[Curve], indices: Ints) -> NDArray[np.bool_]:
        """Fit those of `curves`, of equally many points, that need no preparation; (K,) which those are."""
        bpp, gain = np.stack([curve.bpp for curve in curves]), np.stack([curve.value for curve in curves])
        if self._better == "lower":
            gain = -gain
        with np.errstate(invalid="ignore", divide="ignore"):
            log_bpp = np.log10(bpp)
        enough = bpp.shape[1] >= MIN_POINTS
        fine = np.array([enough and curve.usable.all() for curve in curves], dtype=np.bool_)
        fine[fine] = rises_apart(log_bpp[fine], gain[fine])
        if fine.any():
            x, y, own = gain[fine], log_bpp[fine], indices[fine].T
            self._low[*own], self._high[*own] = x[:, 0], x[:, -1]
            self._groups.append(_Group(own, x, antiderivatives(x, y)))
        return fine

    def _fit_alone(self, curve: Curve, cell: tuple[int, int], method: str) -> None:
        (fit,) = RateTable([curve], method).fits
        self._low[cell], self._high[cell] = fit.range
        self._single.append((cell, fit))

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        """(S, C, C) each: ends of each pair's overlap, in the fits' x."""
        low, high = self._low, self._high
        return np.maximum(low[:, :, None], low[:, None, :]), np.minimum(high[:, :, None], high[:, None, :])

    @cached_property
    def overlaps(self) -> Floats:
        """(S, C, C) overlap of each pair, 0 .. 1; 0 where a curve has no fit."""
        low, high = self._low, self._high
        union = np.maximum(high[:, :, None], high[:, None, :]) - np.minimum(low[:, :, None], low[:, None, :])
        common = self._bounds[1] - self._bounds[0]
        return np.asarray(np.nan_to_num(np.clip(common, 0, None) / union, nan=0.0))

    @cached_property
    def ends(self) -> Floats:
        """(2, S, C, C) lower and upper end of each pair's overlap, metric values as drawn; NaN where a curve has no
        fit, meaningless where there is no overlap."""
        low, high = self._bounds
        return np.stack([low, high] if self._better == "higher" else [-high, -low])

    @cached_property
    def deltas(self) -> Floats:
        """(S, C, C) mean log10 rate ratio of each pair, rows anchor, columns test; NaN where there is no number."""
        low, high = self._bounds
        valid = self.overlaps >= MIN_OVERLAP
        area = np.full(low.shape, np.nan)
        for group in self._groups:
            own = group.indices[0], group.indices[1]
            upper, lower = (values_at(group.pieces, group.x, ends[own]) for ends in (high, low))
            area[own] = np.where(valid[own], upper - lower, np.nan)
        away = np.zeros(low.shape, dtype=bool)
        for cell, fit in self._single:
            has = valid[cell]
            if fit.antiderivative is not None and has.any():
                ends = fit.antiderivative(np.stack([low[cell][has], high[cell][has]]))
                area[cell][has] = ends[1] - ends[0]
            away[cell] = fit.strays(low[cell], high[cell])
        with np.errstate(invalid="ignore", divide="ignore"):
            delta = (area.swapaxes(1, 2) - area) / (high - low)
        return np.asarray(np.where(away | away.swapaxes(1, 2), np.nan, delta))


def _blocks(curves: Mapping[tuple[int, int], Curve]) -> Iterator[list[tuple[int, int]]]:
    """The keys of all curves, those of equally many points together, at most `_BLOCK` at a time."""
    by_points: dict[int, list[tuple[int, int]]] = {}
    for cell, curve in curves.items():
        by_points.setdefault(len(curve.bpp), []).append(cell)
    for members in by_points.values():
        for start in range(0, len(members), _BLOCK):
            yield members[start : start + _BLOCK]
