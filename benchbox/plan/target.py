"""The targets of a matched run, such as ``bpp=0.5`` or ``ms-ssim=0.98``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchbox.errors import PlanError, did_you_mean
from benchbox.metric import Metric

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


def _instead(name: str, known: Sequence[str]) -> str:
    return f"take one of {', '.join(known)}{did_you_mean(name, known) or '; or add the metric to the plan'}"


def parse_target(text: str, metrics: Sequence[Metric]) -> Target:
    """Parse ``"bpp=0.5"`` or ``"METRIC=VALUE"`` with one of a plan's `metrics`. Raises PlanError that quotes `text`."""
    name, _, number = (part.strip() for part in text.partition("="))
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PlanError(f"match '{text}': write one target, bpp=0.5 or a metric and its value such as ms-ssim=0.98")
    if name == "bpp":
        if value <= 0:
            raise PlanError(f"match '{text}': bpp must be above zero")
        return Target("bpp", value)
    metric = next((metric for metric in metrics if metric.id == name), None)
    if metric is None:
        known = ["bpp", *(metric.id for metric in metrics)]
        raise PlanError(f"match '{text}': {_instead(name, known)}")
    higher = metric.better == "higher"
    return Target(name, value, higher, metric.unit, metric.highest if higher else metric.lowest)
