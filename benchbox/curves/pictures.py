"""BD-rate of each picture, and statistics over pictures: mean, median, share won, bootstrap interval.

Each picture gives log10 of a rate ratio. Means, medians and intervals are taken of these logs and converted to percent
at the end, so that A against B agrees with B against A: (1 + a)(1 + b) = 1 for the mean, the median and crosswise for
the interval's ends. A mean of percents would not have this property.

The 95 % interval resamples pictures with replacement (`RESAMPLES` times, seeded; both codecs of a pair use the same
pictures, all pairs the same draws) and takes percentiles of the resampled means, widened for few pictures as in
T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015) ("expanded
percentile"): the level of each end is Phi(-sqrt(n / (n - 1)) t), t the 97.5 % point of Student's t with n - 1 degrees.
Below `MIN_PICTURES` there is no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from benchbox.curves.bd import FLAG_OVERLAP, RateTable, percent
from benchbox.curves.curve import Curve
from benchbox.curves.stacked import StackedTables

Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 10_000
MIN_PICTURES = 5
"""Fewest pictures for an interval: with fewer, there are too few different resamples for meaningful percentiles."""

_COUNTS = 1 << 20
"""Most counts of resampled pictures held at a time: of 10,000 pictures, those of a hundred resamples."""


@dataclass(frozen=True)
class BdOverPictures:
    """BD-rate of `test` against `anchor` over pictures, in percent of bits.

    Attributes:
        mean, median: of the pictures' log ratios, as percent; None with a `reason`.
        interval: 95 % bootstrap interval of the mean, percent; None below `MIN_PICTURES`.
        range: medians over the pictures used of the overlap's lower and upper end (metric values as drawn).
        won: share of pictures, 0 .. 1, on which `test` needs fewer bits; None with a `reason`.
        n: number of pictures used; `flagged`: number of these whose overlap is below one half.
        left_out: picture -> reason why it has no BD-rate.
        reason: why there is no mean, or "".
    """

    anchor: str
    test: str
    mean: float | None
    median: float | None
    interval: tuple[float, float] | None
    range: tuple[float, float] | None
    won: float | None
    n: int
    flagged: int
    left_out: Mapping[str, str]
    reason: str

    @property
    def why_no_interval(self) -> str:
        """Why there is no mean or no interval, or ""."""
        if self.reason or self.interval is not None:
            return self.reason
        return f"{self.n} picture{'' if self.n == 1 else 's'} with a BD-rate; an interval needs {MIN_PICTURES}"


class PictureTable:
    """BD-rates of all codecs against all, on every picture of one data set, by one metric.

    Args:
        curves: result of `image_curves` for one data set and metric; a codec without a curve on a picture is left out
            on that picture.
        method: one of `INTERPOLATIONS`.
        seed: seed of the resampling.
    """

    def __init__(self, curves: Sequence[Curve], method: str = "pchip", seed: int = 0) -> None:
        self.labels = tuple(dict.fromkeys(curve.label for curve in curves))
        self.samples = tuple(dict.fromkeys(str(curve.sample) for curve in curves))
        self._seed, self._method = seed, method
        label, sample = ({name: k for k, name in enumerate(names)} for names in (self.labels, self.samples))
        self._curves = {(sample[str(curve.sample)], label[curve.label]): curve for curve in curves}
        self._tables = StackedTables(self._curves, (len(sample), len(label)), method)
        self._single: dict[int, tuple[RateTable, dict[int, int]]] = {}

    @property
    def log_ratios(self) -> Floats:
        """(S, C, C) log10(bpp of column / bpp of row) on each picture; NaN where there is no BD-rate."""
        return self._tables.deltas

    @property
    def overlaps(self) -> Floats:
        """(S, C, C) overlap of each pair on each picture, 0 .. 1; 0 where a codec has no curve."""
        return self._tables.overlaps

    @cached_property
    def means(self) -> Floats:
        """(C, C) mean log ratio over the pictures that have one; NaN if none has. Rows anchor, columns test."""
        return _nan_mean(self.log_ratios)

    @cached_property
    def intervals(self) -> Floats:
        """(2, C, C) lower and upper end of the 95 % interval of `means`, as log ratios; NaN where there is none."""
        size = len(self.labels)
        flat = self.log_ratios.reshape(len(self.samples), size * size)
        ends = np.full((2, size * size), np.nan)
        patterns, group = np.unique(np.isfinite(flat), axis=1, return_inverse=True)
        for k, has in enumerate(patterns.T):  # pairs with values on the same pictures share their draws
            if has.sum() >= MIN_PICTURES:
                columns = np.flatnonzero(group.ravel() == k)
                values = flat[np.ix_(has, columns)]
                # a codec against itself is 0 however pictures are drawn; alone it needs no draws
                ends[:, columns] = bootstrap_interval(values, self._seed) if values.any() else 0.0
        return ends.reshape(2, size, size)

    @cached_property
    def _by_pair(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Log ratios, overlaps and the overlaps' ends, (C, C, S) each, so that the values of a pair lie together."""
        low, high = self._tables.ends
        log_ratios, overlaps, low, high = (np.ascontiguousarray(np.moveaxis(values, 0, 2))
                                           for values in (self.log_ratios, self.overlaps, low, high))
        return log_ratios, overlaps, low, high

    def summary(self, anchor: str, test: str) -> BdOverPictures:
        """Statistics over pictures of label `test` against label `anchor`."""
        i, j = self.labels.index(anchor), self.labels.index(test)
        ratios, overlaps, *ends = (values[i, j] for values in self._by_pair)
        has = np.isfinite(ratios)
        left_out = {self.samples[k]: self._why(k, i, j) for k in np.flatnonzero(~has).tolist()}
        if not has.any():
            reason = "no picture has a BD-rate: " + (next(iter(left_out.values())) if left_out else "there is none")
            return BdOverPictures(anchor, test, None, None, None, None, None, 0, 0, left_out, reason)
        low, high = self.intervals[:, i, j]
        range_low, range_high = (np.median(end[has]) for end in ends)
        return BdOverPictures(
            anchor, test,
            mean=float(percent(self.means[i, j])),
            median=float(percent(np.median(ratios[has]))),
            interval=(float(percent(low)), float(percent(high))) if np.isfinite(low) else None,
            range=(float(range_low), float(range_high)),
            won=float(np.mean(ratios[has] < 0)),
            n=int(has.sum()),
            flagged=int(np.sum(overlaps[has] < FLAG_OVERLAP)),
            left_out=left_out,
            reason="",
        )

    def _why(self, picture: int, anchor: int, test: int) -> str:
        for codec in (anchor, test):
            if (picture, codec) not in self._curves:
                return f"{self.labels[codec]} has no curve"
        if picture not in self._single:  # fitted when first asked for: few pictures are left out, if any
            places = [k for k in range(len(self.labels)) if (picture, k) in self._curves]
            table = RateTable([self._curves[picture, k] for k in places], self._method)
            self._single[picture] = table, {codec: place for place, codec in enumerate(places)}
        table, place = self._single[picture]
        return table.reason(place[anchor], place[test])


def bootstrap_interval(values: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """95 % interval of the mean of each column of `values`, (n, K) -> (2, K); the n >= 2 rows are resampled together.

    Method and source: see the module's docstring.
    """
    n = len(values)
    random, chances, shares = np.random.default_rng(seed), np.full(n, 1 / n), values / n
    means = np.empty((resamples, values.shape[1]))
    block = max(1, _COUNTS // n)
    for start in range(0, resamples, block):  # one after another from one generator: the draws of a single call
        part = means[start : start + block]
        part[:] = random.multinomial(n, chances, size=len(part)).astype(np.float64) @ shares
    level = float(ndtr(-np.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.975)))
    return np.asarray(np.quantile(means, [level, 1 - level], axis=0))


def _nan_mean(values: Floats) -> Floats:
    has = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(has, values, 0).sum(axis=0) / has.sum(axis=0))
