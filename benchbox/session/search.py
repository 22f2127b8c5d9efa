"""Searches, for each picture and codec, for the setting nearest a target such as ``bpp=0.5`` or ``ms-ssim=0.98``. A
search takes few encodings, each stored as an ordinary measurement.

The search halves the default sweep until the target is between two neighbours, then interpolates between them. It
relies on the axis being ordered by size, and on metrics rising with size (falling where lower is better).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchbox.codec import QualityAxis
from benchbox.errors import PlanError, did_you_mean
from benchbox.plan import Configuration, Entry, Resolved

MOST_TRIES = 14
"""Most encodings of one search: four or five halve a sweep, the rest interpolate."""

CLOSE = 0.005
"""A search ends within this share of a target bpp, or of the distance of a bounded metric from its best value."""

CLOSE_DB = 0.02
"""A search ends within this many decibels of a target in dB."""


@dataclass(frozen=True)
class Target:
    """The `value` to approach: `of` is ``"bpp"`` or a metric id with its `unit` and `best` value (None: unbounded);
    `rising` is true if more bits raise it."""

    of: str
    value: float
    rising: bool = True
    unit: str = ""
    best: float | None = None

    def near(self, value: float) -> bool:
        """True if `value` is close enough to stop."""
        if self.unit == "dB":
            return abs(value - self.value) <= CLOSE_DB
        scale = abs(self.best - self.value) if self.best is not None else abs(self.value)
        return abs(value - self.value) <= CLOSE * max(scale, 1e-9)

    def __str__(self) -> str:
        return f"{self.of}={self.value:g}"


def parse_target(text: str, resolved: Resolved) -> Target:
    """Parse ``"bpp=0.5"`` or ``"METRIC=VALUE"`` with one of the plan's metrics. Raises PlanError that quotes `text`."""
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PlanError(f"match '{text}': write bpp=0.5, or a metric and its value such as ms-ssim=0.98")
    if name == "bpp":
        if value <= 0:
            raise PlanError(f"match '{text}': bpp must be above zero")
        return Target("bpp", value)
    metrics = {metric.id: metric for metric in resolved.metrics}
    if name not in metrics:
        known = ["bpp", *metrics]
        raise PlanError(f"match '{text}': take one of {', '.join(known)}{did_you_mean(name, known)}")
    metric = metrics[name]
    higher = metric.better == "higher"
    return Target(name, value, higher, metric.unit, metric.highest if higher else metric.lowest)


@dataclass
class Search:
    """One search: a picture, a codec, a target, and the value at each quality tried (None: no value there)."""

    dataset: str
    sample: str
    digest: str
    configuration: Configuration
    target: Target
    tried: dict[float, float | None] = field(default_factory=dict)

    @property
    def _axis(self) -> QualityAxis:
        axis = self.configuration.axis
        assert axis is not None
        return axis

    def _sweep(self) -> list[float]:
        """The default sweep and the axis' ends, in order of rising size."""
        axis = self._axis
        falls = axis.values[0] > axis.values[-1]
        return sorted({axis.minimum, axis.maximum, *axis.values}, reverse=falls)

    def entry(self, quality: float) -> Entry:
        """The row of a try at `quality`."""
        return self.configuration.entry(self.dataset, self.sample, self.digest, quality)

    def propose(self) -> float | None:
        """The quality to try next; None when the search is over."""
        if len(self.tried) >= MOST_TRIES or any(value is None for value in self.tried.values()):
            return None
        if any(self.target.near(value) for value in self.tried.values() if value is not None):
            return None
        sweep = self._sweep()
        low, high = self._bracket(sweep)
        order = {quality: place for place, quality in enumerate(sorted([*sweep, *self.tried], key=self._size))}
        between = [q for q in sweep if q not in self.tried
                   and (low is None or order[q] > order[low]) and (high is None or order[q] < order[high])]  # fmt: skip
        if between:
            return between[len(between) // 2]
        if low is None or high is None:
            return None  # the target is beyond the axis
        return self._interpolate(low, high)

    def best(self) -> float | None:
        """The quality whose value is nearest the target; None if no quality tried has a value."""
        found = {q: abs(v - self.target.value) for q, v in self.tried.items() if v is not None}
        return min(found, key=lambda q: found[q]) if found else None

    def _size(self, quality: float) -> float:
        values = self._axis.values
        return -quality if values[0] > values[-1] else quality

    def _bracket(self, sweep: Sequence[float]) -> tuple[float | None, float | None]:
        """The tried qualities next below and next above the target, in order of size."""
        below = [q for q, v in self.tried.items() if v is not None and (v <= self.target.value) == self.target.rising]
        above = [q for q, v in self.tried.items() if v is not None and q not in below]
        return max(below, key=self._size, default=None), min(above, key=self._size, default=None)

    def _interpolate(self, low: float, high: float) -> float | None:
        start, end = self.tried[low], self.tried[high]
        assert start is not None
        assert end is not None
        share = (self.target.value - start) / (end - start) if end != start else 0.5
        quality = low + min(0.9, max(0.1, share)) * (high - low)  # not too near an end, whose value is known
        if self._axis.integer:
            quality = float(round(quality))
            if quality in self.tried:
                inside = [q for q in range(math.ceil(min(low, high)) + 1, math.ceil(max(low, high)))
                          if q not in self.tried]  # fmt: skip
                return float(inside[len(inside) // 2]) if inside else None
        return None if quality in self.tried else round(quality, 6)


def searches(resolved: Resolved, digests: Mapping[tuple[str, str], str], targets: Sequence[Target]) -> list[Search]:
    """One search for each readable picture, lossy codec and target."""
    return [
        Search(dataset.id, sample.id, digests[dataset.id, sample.id], configuration, target)
        for dataset in resolved.datasets
        for sample in dataset.samples
        if (dataset.id, sample.id) in digests
        for configuration in resolved.configurations
        if configuration.axis is not None
        for target in targets
    ]
