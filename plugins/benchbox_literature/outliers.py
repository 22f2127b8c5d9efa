"""Curves that lie far off the others on their data set: by a wrong unit, metric or data set, not by their codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox import Reference
from benchbox.errors import DatasetError

Floats: TypeAlias = NDArray[np.float64]

FAR = 8.0
"""Decibels from the median of the others at equal rate. JPEG and networks trained for another metric lie within 5.5."""

FEWEST = 3
"""Fewest other curves that a point is held against."""


@dataclass(frozen=True)
class Outlier:
    """A curve that lies `decibels` (median over its points) above, or if negative below, the median of the others."""

    dataset: str
    id: str
    metric: str
    decibels: float


def outliers(curves: Sequence[Reference]) -> list[Outlier]:
    """The curves that lie more than `FAR` off; points where fewer than `FEWEST` others have a value do not count."""
    groups: dict[tuple[str, str], list[tuple[str, Floats, Floats]]] = {}
    for curve in curves:
        for metric, values in curve.metrics.items():
            points = _points(curve.bpp, values, metric)
            groups.setdefault((curve.dataset, metric), []).append((curve.id, *points))
    found = []
    for (dataset, metric), group in groups.items():
        for k, (name, rate, value) in enumerate(group):
            others = [np.interp(rate, r, v, left=np.nan, right=np.nan)
                      for j, (_, r, v) in enumerate(group) if j != k and len(r)]  # fmt: skip
            off = _off(value, np.array(others).reshape(-1, len(rate)))
            if abs(off) > FAR:
                found.append(Outlier(dataset, name, metric, off))
    return found


def refuse_outliers(curves: Sequence[Reference]) -> None:
    """Raise DatasetError that names the first curve of `outliers`."""
    for one in outliers(curves):
        side = "above" if one.decibels > 0 else "below"
        raise DatasetError(f"published curve {one.id} on {one.dataset}: its {one.metric} lies {abs(one.decibels):.1f} "
                           f"dB {side} the other curves there; its unit, metric or data set is stated wrongly, so "
                           "correct the collection")


def _points(bpp: Sequence[float], values: Sequence[float | None], metric: str) -> tuple[Floats, Floats]:
    """log10(bpp) and the metric in decibels, by rising rate, without nulls. MS-SSIM is -10 log10(1 - raw)."""
    pairs = sorted((b, v) for b, v in zip(bpp, values, strict=True) if v is not None and (metric != "ms-ssim" or v < 1))
    rate, value = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return np.log10(rate), -10 * np.log10(1 - value) if metric == "ms-ssim" else value


def _off(value: Floats, others: Floats) -> float:
    """Median over points of the distance from the median of the others; 0 where there is nothing to compare with."""
    usable = np.isfinite(others).sum(axis=0) >= FEWEST
    if not usable.any():
        return 0.0
    return float(np.median(value[usable] - np.nanmedian(others[:, usable], axis=0)))
