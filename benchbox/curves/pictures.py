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
        self._seed = seed
        self._tables: list[RateTable] = []
        self._places: list[dict[str, int]] = []
        by_sample: dict[str, list[Curve]] = {sample: [] for sample in self.samples}
        for curve in curves:
            by_sample[str(curve.sample)].append(curve)
        for sample in self.samples:
            self._tables.append(RateTable(by_sample[sample], method))
            self._places.append({curve.label: place for place, curve in enumerate(by_sample[sample])})

    @cached_property
    def log_ratios(self) -> Floats:
        """(S, C, C) log10(bpp of column / bpp of row) on each picture; NaN where there is no BD-rate."""
        return self._stacked([table.deltas for table in self._tables], np.nan)

    @cached_property
    def overlaps(self) -> Floats:
        """(S, C, C) overlap of each pair on each picture, 0 .. 1."""
        return self._stacked([table.overlaps for table in self._tables], 0.0)

    @cached_property
    def _ends(self) -> Floats:
        """(2, S, C, C) lower and upper end of each pair's overlap on each picture, metric values as drawn."""
        return np.stack([self._stacked([table.ends[k] for table in self._tables], np.nan) for k in range(2)])

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
                ends[:, columns] = bootstrap_interval(flat[np.ix_(has, columns)], self._seed)
        return ends.reshape(2, size, size)

    def summary(self, anchor: str, test: str) -> BdOverPictures:
        """Statistics over pictures of label `test` against label `anchor`."""
        i, j = self.labels.index(anchor), self.labels.index(test)
        ratios = self.log_ratios[:, i, j]
        has = np.isfinite(ratios)
        left_out = {s: self._why(k, anchor, test) for k, s in enumerate(self.samples) if not has[k]}
        if not has.any():
            reason = "no picture has a BD-rate: " + (next(iter(left_out.values())) if left_out else "there is none")
            return BdOverPictures(anchor, test, None, None, None, None, None, 0, 0, left_out, reason)
        low, high = self.intervals[:, i, j]
        range_low, range_high = np.median(self._ends[:, has, i, j], axis=1)
        return BdOverPictures(
            anchor, test,
            mean=float(percent(self.means[i, j])),
            median=float(percent(np.median(ratios[has]))),
            interval=(float(percent(low)), float(percent(high))) if np.isfinite(low) else None,
            range=(float(range_low), float(range_high)),
            won=float(np.mean(ratios[has] < 0)),
            n=int(has.sum()),
            flagged=int(np.sum(self.overlaps[has, i, j] < FLAG_OVERLAP)),
            left_out=left_out,
            reason="",
        )

    def _stacked(self, parts: Sequence[Floats], empty: float) -> Floats:
        """The (c, c) arrays of the pictures as one (S, C, C) array; `empty` where a picture lacks a curve."""
        place = {label: k for k, label in enumerate(self.labels)}
        whole = np.full((len(self.samples), len(place), len(place)), empty)
        for k, (part, places) in enumerate(zip(parts, self._places, strict=True)):
            index = np.array([place[label] for label in places], dtype=np.int64)
            whole[k][np.ix_(index, index)] = part
        return whole

    def _why(self, k: int, anchor: str, test: str) -> str:
        places = self._places[k]
        for label in (anchor, test):
            if label not in places:
                return f"{label} has no curve"
        return self._tables[k].reason(places[anchor], places[test])


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
