"""The rules for a metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from benchbox import registry
from benchbox.errors import NotApplicable, PluginError
from benchbox.image import Image, peak
from benchbox.metric import Display, Metric, Prepared, Scorer
from benchbox.store import COLUMNS
from benchbox.testing import manners
from benchbox.testing.check import Check, Rule, Scene, Subject, run_all
from benchbox.testing.pictures import AWKWARD_SIZES, photograph, picture
from benchbox.testing.trial import Trial


@dataclass(frozen=True)
class MetricSubject(Subject):
    """The metric under test; `others` are the ids of the metrics that are installed, or None for a look at them."""

    metric: Metric
    device: str
    others: tuple[str, ...] | None = None
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_metrics"

    @classmethod
    def of(cls, metric: Metric, arguments: Mapping[str, Any], scene: Scene) -> MetricSubject:
        """The subject of another process, made from its `arguments`."""
        return cls(metric, arguments["device"], tuple(arguments["others"]), scene)

    def arguments(self, folder: str) -> dict[str, Any]:
        return {"device": self.device, "others": installed_metrics()}

    @property
    def item(self) -> Metric:
        return self.metric

    def open(self) -> Scorer:
        return self.metric.open(self.device)

    def better(self, one: float, other: float) -> bool:
        return one > other if self.metric.better == "higher" else one < other

    def steps(self, height: int, width: int) -> Iterator[tuple[Any, Callable[[], Any]]]:
        reference = picture(height, width, 3, 8)
        distorted = _noisy(reference, 0.05)
        opened: list[Scorer] = []
        prepared: list[Prepared] = []
        yield self.metric.open, lambda: opened.append(self.open())
        yield opened[0].prepare, _or_none(lambda: prepared.append(opened[0].prepare(reference)))
        if prepared:
            yield prepared[0].score, _or_none(lambda: prepared[0].score(distorted))


_KINDS = ((1, 8), (3, 8), (1, 16), (3, 16))
"""(channels, bits) of pictures that a metric may be given."""


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
    """The id and the facts are of the right types, and its column in results is no other's."""
    metric: Any = subject.metric
    subject.check_names(metric.id, metric.title)
    for name, kind in (("version", str), ("unit", str), ("display", Display)):
        if not isinstance(getattr(metric, name), kind):
            subject.breach(f"{name} must be a {kind.__name__}, got {getattr(metric, name)!r}; give one")
    if not metric.version or not metric.display.label:
        subject.breach("version and display.label must not be empty; give them")
    if metric.better not in ("higher", "lower"):
        subject.breach(f"better must be 'higher' or 'lower', got {metric.better!r}; write one of them")
    if metric.column in {column.name for column in COLUMNS}:
        subject.breach(f"'{metric.column}' is a column of every result; give the metric another id")
    for other in installed_metrics() if subject.others is None else subject.others:
        if other != metric.id and other.replace("-", "_") == metric.column:
            subject.breach(f"its id differs from that of the metric '{other}' by - and _ only, so that both would have "
                           "one column; give it another id")


def _types(subject: MetricSubject) -> None:
    """`open` gives a Scorer, `prepare` a Prepared, `score` a finite float."""
    metric = subject.metric
    subject.check_arguments(metric.open, "device")
    try:
        scorer: Any = metric.open(subject.device)
    except Exception as error:
        subject.raised("open", error, "where it cannot be opened, return from `unavailable` the reason and the remedy")
    if not isinstance(scorer, Scorer):
        subject.breach(f"open gave a {type(scorer).__name__}; it must give a benchbox Scorer", at=metric.open)
    subject.check_arguments(scorer.prepare, "reference")
    for channels, bits in _KINDS:
        reference = picture(192, 256, channels, bits)
        image = _noisy(reference, 0.03)
        image.setflags(write=False)
        try:
            prepared: Any = scorer.prepare(reference)
            if not isinstance(prepared, Prepared):
                subject.breach(f"prepare gave a {type(prepared).__name__}; it must give a benchbox Prepared",
                               at=scorer.prepare)
            subject.check_arguments(prepared.score, "image")
            value = prepared.score(image)
        except NotApplicable:
            continue
        except PluginError:
            raise
        except Exception as error:
            subject.raised(f"given a photograph of {channels} channels and {bits} bits, it", error,
                           "raise NotApplicable for what has no value")
        if not isinstance(value, float):
            subject.breach(f"score must give a finite float, got {value!r}; return float(...)", at=prepared.score)


def _order(subject: MetricSubject) -> None:
    """An identical picture scores best (or has no value), and stronger noise scores worse."""
    scored = 0
    for channels, bits in _KINDS:
        reference = picture(192, 256, channels, bits)
        values = [_score(subject, reference, _noisy(reference, sigma)) for sigma in (0.0, 0.01, 0.03, 0.1)]
        known = [value for value in values if value is not None]
        if not known:
            continue  # it has no value for this kind
        if len(known) < 3:
            subject.breach(f"it scores only some noise on a {channels}-channel {bits}-bit photograph of 256x192; "
                           "give every pair of such pictures a value")
        scored += 1
        for first, second in pairwise(known):
            if not subject.better(first, second):
                subject.breach(f"{subject.metric.better} is better, but stronger noise takes it from {first:g} to "
                               f"{second:g} ({channels} channels, {bits} bits); correct `better` or the score")
    if not scored:
        subject.breach("it scores no photograph of 256x192: neither gray nor RGB, neither 8 nor 16 bits; "
                       "raise NotApplicable for fewer pictures")


def _shapes(subject: MetricSubject) -> None:
    for channels, bits in _KINDS:
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
        subject.breach(f"a prepared reference scores one picture {first!r} first and {again!r} later; keep no state "
                       "between calls", at=prepared.score)
    fresh = subject.open().prepare(reference).score(one)
    if not math.isclose(first, fresh, rel_tol=1e-9, abs_tol=1e-12):
        subject.breach(f"a newly opened metric scores {fresh!r} where the first scored {first!r}; keep no state "
                       "between calls", at=prepared.score)
    if not all(np.array_equal(array, copy) for array, copy in zip((reference, one, other), kept, strict=True)):
        subject.breach("it changed a picture that it was given; let it work on a copy", at=prepared.score)


def _or_none(call: Callable[[], Any]) -> Callable[[], Any]:
    """`call`, of which NotApplicable is no fault."""

    def tried() -> Any:
        with suppress(NotApplicable):
            return call()

    return tried


@cache
def installed_metrics() -> tuple[str, ...]:
    """The ids of all metrics that are installed here."""
    return tuple(registry.load().metrics)


METRIC_RULES: tuple[Rule[MetricSubject], ...] = (
    Rule(_names),
    Rule(_types, needs="names", seconds=120),
    Rule(manners.surroundings, needs="types"),
    Rule(manners.threads, needs="types"),
    Rule(manners.leftovers, needs="types"),
    Rule(_order, needs="types"),
    Rule(_shapes, needs="order"),
    Rule(_prepared, needs="order"),
    Rule(manners.import_time, apart=True),
)


def _score(subject: MetricSubject, reference: Image, image: Image) -> float | None:
    """The value, checked to be a finite float within the declared range; None for NotApplicable."""
    name = f"a picture of {reference.shape[1]}x{reference.shape[0]}x{reference.shape[2]} {reference.dtype}"
    kept = reference.copy(), image.copy()
    try:
        prepared = subject.open().prepare(reference)
        value = prepared.score(image)
    except NotApplicable as error:
        if not str(error).strip():
            subject.breach(f"NotApplicable without a reason for {name}; give it one", at=error)
        return None
    except Exception as error:
        subject.raised(f"given {name}, it", error, "raise NotApplicable for what has no value", bugs=(NameError,))
    if not isinstance(value, float) or not math.isfinite(value):
        subject.breach(f"the score of {name} must be a finite float, got {value!r}; or raise NotApplicable",
                       at=prepared.score)
    if not (np.array_equal(kept[0], reference) and np.array_equal(kept[1], image)):
        subject.breach("it changed a picture that it was given; let it work on a copy", at=prepared.score)
    lowest, highest = subject.metric.lowest, subject.metric.highest
    if (lowest is not None and value < lowest) or (highest is not None and value > highest):
        subject.breach(f"the score {value!r} of {name} lies outside the declared {lowest} to {highest}; correct lowest "
                       "and highest, or the score", at=prepared.score)
    return value


def _noisy(reference: Image, sigma: float) -> Image:
    """`reference` with Gaussian noise of `sigma` times the peak, rounded and clipped."""
    if sigma == 0:
        return reference.copy()
    top = peak(reference)
    grain = np.random.default_rng(5).normal(0, sigma * top, reference.shape)
    noisy: Image = np.asarray(np.clip(np.rint(reference + grain), 0, top), dtype=reference.dtype)
    return noisy
