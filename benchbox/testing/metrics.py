"""The checks for a metric."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from benchbox.errors import NotApplicable, PluginError
from benchbox.image import Image, peak
from benchbox.metric import Metric, Scorer
from benchbox.testing.check import Check, Rule, Scene, Subject, run_all
from benchbox.testing.pictures import AWKWARD_SIZES, photograph, picture
from benchbox.testing.trial import Trial


@dataclass(frozen=True)
class MetricSubject(Subject):
    """The metric under test."""

    metric: Metric
    device: str
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_metrics"

    @property
    def item(self) -> Metric:
        return self.metric

    def open(self) -> Scorer:
        return self.metric.open(self.device)

    def better(self, one: float, other: float) -> bool:
        return one > other if self.metric.better == "higher" else one < other


def check_metric(metric: Metric, device: str = "cpu") -> None:
    """Run every check of `metric_checks`; raises PluginError with a line for each breach."""
    run_all(metric_checks(metric, device))


def metric_checks(metric: Metric, device: str = "cpu") -> list[Check]:
    """The checks for a metric, one callable each, for pytest to parametrise over; raises PluginError if the metric is
    unavailable here."""
    reason = metric.unavailable()
    if reason is not None:
        raise PluginError(f"{metric.id}: {reason}")
    return Trial(MetricSubject(metric, device), METRIC_RULES).checks()


def _names(subject: MetricSubject) -> None:
    metric = subject.metric
    subject.check_names(metric.id, metric.title)
    if not metric.version or not metric.display.label:
        subject.breach("version and display.label must not be empty")
    if metric.better not in ("higher", "lower"):
        subject.breach(f"better must be 'higher' or 'lower', got {metric.better!r}")


def _order(subject: MetricSubject) -> None:
    """An identical picture scores best (or has no value), and stronger noise scores worse."""
    scored = 0
    for channels, bits in ((1, 8), (3, 8), (1, 16), (3, 16)):
        reference = picture(192, 256, channels, bits)
        values = [_score(subject, reference, _noisy(reference, sigma)) for sigma in (0.0, 0.01, 0.03, 0.1)]
        known = [value for value in values if value is not None]
        if not known:
            continue  # it has no value for this kind
        if len(known) < 3:
            subject.breach(f"it scores only some noise on a {channels}-channel {bits}-bit photograph of 256x192")
        scored += 1
        for first, second in pairwise(known):
            if not subject.better(first, second):
                subject.breach(f"{subject.metric.better} is better, but stronger noise takes it from {first:g} to "
                               f"{second:g} ({channels} channels, {bits} bits)")
    if not scored:
        subject.breach("it scores no photograph of 256x192: neither gray nor RGB, neither 8 nor 16 bits")


def _shapes(subject: MetricSubject) -> None:
    for channels, bits in ((1, 8), (3, 8), (1, 16), (3, 16)):
        for height, width in AWKWARD_SIZES:
            reference = picture(height, width, channels, bits)
            for sigma in (0.0, 0.05):
                _score(subject, reference, _noisy(reference, sigma))
        flat = np.full((40, 40, channels), peak(picture(1, 1, channels, bits)), picture(1, 1, channels, bits).dtype)
        _score(subject, flat, flat)
        _score(subject, flat, np.zeros_like(flat))


def _prepared(subject: MetricSubject) -> None:
    """One prepared reference scores any number of pictures and changes none."""
    reference = photograph()
    one, other = _noisy(reference, 0.02), _noisy(reference, 0.2)
    kept = [array.copy() for array in (reference, one, other)]
    prepared = subject.open().prepare(reference)
    first, _, again = prepared.score(one), prepared.score(other), prepared.score(one)
    if first != again:
        subject.breach(f"a prepared reference scores one picture {first!r} first and {again!r} later")
    fresh = subject.open().prepare(reference).score(one)
    if not math.isclose(first, fresh, rel_tol=1e-9, abs_tol=1e-12):
        subject.breach(f"a newly opened metric scores {fresh!r} where the first scored {first!r}")
    if not all(np.array_equal(array, copy) for array, copy in zip((reference, one, other), kept, strict=True)):
        subject.breach("it changed a picture that it was given")


METRIC_RULES: tuple[Rule[MetricSubject], ...] = (
    Rule(_names),
    Rule(_order, needs="names"),
    Rule(_shapes, needs="order"),
    Rule(_prepared, needs="order"),
)


def _score(subject: MetricSubject, reference: Image, image: Image) -> float | None:
    """The value, checked to be a finite float within the declared range; None for NotApplicable."""
    name = f"a picture of {reference.shape[1]}x{reference.shape[0]}x{reference.shape[2]} {reference.dtype}"
    try:
        value = subject.open().prepare(reference).score(image)
    except NotApplicable as error:
        if not str(error).strip():
            subject.breach(f"NotApplicable without a reason for {name}")
        return None
    except Exception as error:
        subject.breach(f"{name} made it raise {type(error).__name__} ({error}) and not NotApplicable")
    if not isinstance(value, float) or not math.isfinite(value):
        subject.breach(f"the score of {name} must be a finite float, got {value!r}; or raise NotApplicable")
    lowest, highest = subject.metric.lowest, subject.metric.highest
    if (lowest is not None and value < lowest) or (highest is not None and value > highest):
        subject.breach(f"the score {value!r} of {name} lies outside the declared {lowest} to {highest}")
    return value


def _noisy(reference: Image, sigma: float) -> Image:
    """`reference` with Gaussian noise of `sigma` times the peak, rounded and clipped."""
    if sigma == 0:
        return reference.copy()
    top = peak(reference)
    grain = np.random.default_rng(5).normal(0, sigma * top, reference.shape)
    noisy: Image = np.asarray(np.clip(np.rint(reference + grain), 0, top), dtype=reference.dtype)
    return noisy
