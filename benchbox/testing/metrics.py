"""What benchbox asks of a metric."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from benchbox.errors import NotApplicable, PluginError
from benchbox.image import Image, peak
from benchbox.metric import Metric, Scorer
from benchbox.testing.check import Check, breach, check_names, run_all, same_after_pickle
from benchbox.testing.pictures import AWKWARD_SIZES, photograph, picture


@dataclass(frozen=True)
class Subject:
    """The metric under test."""

    metric: Metric
    device: str

    @property
    def id(self) -> str:
        return self.metric.id

    def open(self) -> Scorer:
        return self.metric.open(self.device)

    def better(self, one: float, other: float) -> bool:
        return one > other if self.metric.better == "higher" else one < other


def check_metric(metric: Metric, device: str = "cpu") -> None:
    """Run every check of `metric_checks`; raises PluginError with one line a breach."""
    run_all(metric_checks(metric, device))


def metric_checks(metric: Metric, device: str = "cpu") -> list[Check]:
    """The checks for a metric as callables, to be parametrised over; the metric must be available here."""
    reason = metric.unavailable()
    if reason is not None:
        raise PluginError(f"{metric.id}: {reason}")
    subject = Subject(metric, device)
    return [Check(metric.id, function.__name__.lstrip("_"), partial(function, subject)) for function in _CHECKS]


def _names(subject: Subject) -> None:
    metric = subject.metric
    check_names(metric.id, metric.title)
    if not metric.version or not metric.display.label:
        breach(metric.id, "version and display.label must not be empty")
    if metric.better not in ("higher", "lower"):
        breach(metric.id, f"better must be 'higher' or 'lower', got {metric.better!r}")


def _pickle(subject: Subject) -> None:
    if same_after_pickle(subject.id, subject.metric).id != subject.id:
        breach(subject.id, "after a trip through pickle it has another id")


def _order(subject: Subject) -> None:
    """The picture itself scores best (or has no value), and stronger noise scores worse."""
    scored = 0
    for channels, bits in ((1, 8), (3, 8), (1, 16), (3, 16)):
        reference = picture(192, 256, channels, bits)
        values = [_score(subject, reference, _noisy(reference, sigma)) for sigma in (0.0, 0.01, 0.03, 0.1)]
        known = [value for value in values if value is not None]
        if not known:
            continue  # it declines this kind
        if len(known) < 3:
            breach(subject.id, f"it scores only some noise on a {channels}-channel {bits}-bit photograph of 256x192")
        scored += 1
        for first, second in pairwise(known):
            if not subject.better(first, second):
                breach(subject.id, f"{subject.metric.better} is better, but stronger noise takes it from {first:g} to "
                                   f"{second:g} ({channels} channels, {bits} bits)")
    if not scored:
        breach(subject.id, "it scores no photograph of 256x192: neither gray nor RGB, neither 8 nor 16 bits")


def _shapes(subject: Subject) -> None:
    for channels, bits in ((1, 8), (3, 8), (1, 16), (3, 16)):
        for height, width in AWKWARD_SIZES:
            reference = picture(height, width, channels, bits)
            for sigma in (0.0, 0.05):
                _score(subject, reference, _noisy(reference, sigma))
        flat = np.full((40, 40, channels), peak(picture(1, 1, channels, bits)), picture(1, 1, channels, bits).dtype)
        _score(subject, flat, flat)
        _score(subject, flat, np.zeros_like(flat))


def _prepared(subject: Subject) -> None:
    """One prepared reference scores any number of pictures, and alters none."""
    reference = photograph()
    one, other = _noisy(reference, 0.02), _noisy(reference, 0.2)
    kept = [array.copy() for array in (reference, one, other)]
    prepared = subject.open().prepare(reference)
    first, _, again = prepared.score(one), prepared.score(other), prepared.score(one)
    if first != again:
        breach(subject.id, f"a prepared reference scores one picture {first!r} and later {again!r}")
    fresh = subject.open().prepare(reference).score(one)
    if not math.isclose(first, fresh, rel_tol=1e-9, abs_tol=1e-12):
        breach(subject.id, f"a freshly opened metric scores {fresh!r} where the first scored {first!r}")
    if not all(np.array_equal(array, copy) for array, copy in zip((reference, one, other), kept, strict=True)):
        breach(subject.id, "it altered a picture that it was given")


_CHECKS: tuple[Callable[[Subject], None], ...] = (_names, _pickle, _order, _shapes, _prepared)


def _score(subject: Subject, reference: Image, image: Image) -> float | None:
    """The value, checked to be a finite float within the declared range; None for NotApplicable."""
    name = f"a picture of {reference.shape[1]}x{reference.shape[0]}x{reference.shape[2]} {reference.dtype}"
    try:
        value = subject.open().prepare(reference).score(image)
    except NotApplicable as error:
        if not str(error).strip():
            breach(subject.id, f"NotApplicable without a reason for {name}")
        return None
    except Exception as error:
        breach(subject.id, f"{name} made it raise {type(error).__name__} ({error}) and not NotApplicable")
    if not isinstance(value, float) or not math.isfinite(value):
        breach(subject.id, f"the score of {name} must be a finite float, got {value!r}; else raise NotApplicable")
    lowest, highest = subject.metric.lowest, subject.metric.highest
    if (lowest is not None and value < lowest) or (highest is not None and value > highest):
        breach(subject.id, f"the score {value!r} of {name} lies outside the declared {lowest} to {highest}")
    return value


def _noisy(reference: Image, sigma: float) -> Image:
    """`reference` with Gaussian noise of `sigma` times the peak, rounded and clipped."""
    if sigma == 0:
        return reference.copy()
    top = peak(reference)
    grain = np.random.default_rng(5).normal(0, sigma * top, reference.shape)
    noisy: Image = np.asarray(np.clip(np.rint(reference + grain), 0, top), dtype=reference.dtype)
    return noisy
