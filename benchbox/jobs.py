"""A plan with its ids looked up, and the jobs it still needs: plan minus what the store has. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchbox.codec import CodecInfo, OptionsModel, QualityAxis, options_json
from benchbox.dataset import Dataset, Sample
from benchbox.environment import device_for
from benchbox.errors import PlanError, QualityError
from benchbox.metric import Metric
from benchbox.plan import CodecEntry, Plan, Timing
from benchbox.registry import Registry


@dataclass(frozen=True)
class Point:
    """One operating point of a job: encode at `quality` and score with `metrics`; or, where `stream` names a kept
    stream by its SHA-256, only decode that and score."""

    key: str
    quality: float | None
    metrics: tuple[str, ...]
    stream: str | None = None


@dataclass(frozen=True)
class Job:
    """One sample x one codec configuration x its missing operating points. Plain data: workers look codecs up by id.
    With `timing` the points, measured before, are timed under that protocol."""

    sample: Sample
    sample_sha256: str
    codec: str
    label: str
    options: str
    identity: str
    device: str
    points: tuple[Point, ...]
    timing: Timing | None = None

    def only(self, points: Iterable[Point]) -> Job:
        """The same job with these points."""
        return replace(self, points=tuple(points))


@dataclass(frozen=True)
class Entry:
    """One row that a run will have: which point, of which data set, under which sample id."""

    key: str
    dataset: str
    sample: str
    label: str
    codec: str
    quality: float | None


@dataclass(frozen=True)
class Have:
    """What the store holds of an encoding.

    Attributes:
        measured: whether it counts as measured, so that it is not encoded again.
        stream: SHA-256 of its stream if that is kept, else None.
        scored: metrics that have a value or a reason.
        sha256: SHA-256 of its stream, kept or not.
    """

    measured: bool
    stream: str | None
    scored: frozenset[str]
    sha256: str | None = None

    def lacks(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Those of `metrics` that are not scored."""
        return tuple(metric for metric in metrics if metric not in self.scored)


@dataclass(frozen=True)
class Configuration:
    """A codec of the plan with everything settled: what is asked of it at each of `qualities`."""

    info: CodecInfo
    options: OptionsModel
    label: str
    identity: str
    qualities: tuple[float | None, ...]
    axis: QualityAxis | None
    device: str

    def key(self, quality: float | None, sample_sha256: str) -> str:
        """SHA-256 (hex) of what is asked: the key of an encoding."""
        asked = {
            "codec": self.info.id, "options": options_json(self.options), "identity": self.identity,
            "quality": quality, "device": self.device.partition(":")[0], "sample": sample_sha256,
        }  # fmt: skip
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def entry(self, dataset: str, sample: str, sample_sha256: str, quality: float | None) -> Entry:
        """The row of a run for the picture `sample` of `dataset` at `quality`."""
        return Entry(self.key(quality, sample_sha256), dataset, sample, self.label, self.info.id, quality)

    def missing(self, key: str, quality: float | None, metrics: tuple[str, ...], have: Have | None) -> Point | None:
        """The operating point `key` as a job must measure it, given what the store has; None if nothing is missing."""
        if have is None or not have.measured:
            return Point(key, quality, metrics)
        unscored = have.lacks(metrics)
        if not unscored:
            return None
        return Point(key, quality, unscored if have.stream else metrics, have.stream)

    def job(self, sample: Sample, sample_sha256: str, points: Iterable[Point], timing: Timing | None = None) -> Job:
        """A job that measures `points` of one picture, or times them under the protocol `timing`."""
        return Job(sample, sample_sha256, self.info.id, self.label, options_json(self.options), self.identity,
                   self.device, tuple(points), timing)


@dataclass(frozen=True)
class Resolved:
    """A plan with its ids looked up in the registry."""

    plan: Plan
    datasets: tuple[Dataset, ...]
    configurations: tuple[Configuration, ...]
    metrics: tuple[Metric, ...]
    left_out: Mapping[str, str]
    """Optional codecs that are unavailable here, with the reason."""


def resolve(plan: Plan, registry: Registry, base: Path) -> Resolved:
    """Look up and validate everything a plan names; relative ``PATH`` arguments of data sets start from `base`.

    Raises:
        UsageError: an unknown id or option, a quality out of range, two configurations under one label, a metric that
            is unavailable here.
        CodecUnavailableError, DatasetError: with the remedy.
    """
    metrics = tuple(_available(registry.metric(name)) for name in dict.fromkeys(plan.metrics))
    left_out = {e.id: why for e in plan.codec if e.optional and (why := registry.codec(e.id).unavailable())}
    configurations = tuple(_configure(entry, registry) for entry in plan.codec if entry.id not in left_out)
    labels = [c.label for c in configurations]
    for label in labels:
        if labels.count(label) > 1:
            raise PlanError(f"two codecs of the plan are called '{label}'; give one of them a label")
    datasets = tuple(registry.dataset(anchored(name, registry, base)) for name in dict.fromkeys(plan.dataset))
    return Resolved(plan, datasets, configurations, metrics, left_out)


def _available(metric: Metric) -> Metric:
    reason = metric.unavailable()
    if reason is not None:
        raise PlanError(f"metric {metric.id} is unavailable: {reason}")
    return metric


def anchored(dataset: str, registry: Registry, base: Path) -> str:
    """`dataset` with a relative PATH argument made absolute, so that the name means the same from any folder."""
    name, colon, argument = dataset.partition(":")
    info = registry.dataset_info(name)
    if colon and info.argument == "PATH" and argument:
        return f"{name}:{(base / Path(argument).expanduser()).resolve()}"
    return dataset


def _configure(entry: CodecEntry, registry: Registry) -> Configuration:
    info = registry.codec(entry.id)
    options = info.parse_options(entry.options)
    info.require(options)
    label = entry.label or info.label(options)
    device = device_for(entry.device, info.capabilities.devices)
    if device.partition(":")[0] not in info.capabilities.devices:
        raise PlanError(f"{label}: runs on {' or '.join(info.capabilities.devices)}, not on '{entry.device}'")
    axis = info.axis(options)
    qualities: tuple[float | None, ...]
    if axis is None:
        if entry.qualities:
            raise QualityError(f"{label}: a lossless codec has no quality; leave the qualities out")
        qualities = (None,)
    else:
        asked = entry.qualities if entry.qualities is not None else axis.values
        qualities = tuple(dict.fromkeys(axis.check(q, label) for q in asked))
    return Configuration(info, options, label, info.identity(options), qualities, axis, device)


def entries(resolved: Resolved, digests: Mapping[tuple[str, str], str]) -> Iterator[Entry]:
    """All rows of a run; `digests` gives the pixel digest (or a stand-in) of (data set id, sample id)."""
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            digest = digests[dataset.id, sample.id]
            for configuration in resolved.configurations:
                for quality in configuration.qualities:
                    yield configuration.entry(dataset.id, sample.id, digest, quality)


def jobs(resolved: Resolved, digests: Mapping[tuple[str, str], str], have: Mapping[str, Have]) -> Iterator[Job]:
    """The plan minus what the store has. Samples missing in `digests` are unreadable and get no job; equal work is done
    once."""
    wanted = tuple(metric.id for metric in resolved.metrics)
    seen: set[str] = set()
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            digest = digests.get((dataset.id, sample.id))
            if digest is None:
                continue
            for configuration in resolved.configurations:
                points = []
                for quality in configuration.qualities:
                    key = configuration.key(quality, digest)
                    point = configuration.missing(key, quality, wanted, have.get(key))
                    if point is not None and key not in seen:
                        points.append(point)
                    seen.add(key)
                if points:
                    yield configuration.job(sample, digest, points)


def timing_jobs(
    resolved: Resolved, digests: Mapping[tuple[str, str], str], have: Mapping[str, Have], timed: Mapping[str, int]
) -> Iterator[Job]:
    """Jobs that time what was measured; `timed` counts the repeats held under this protocol, on this host."""
    protocol = resolved.plan.timing
    if protocol is None:
        return
    measured = {key: held for key, held in have.items() if held.measured and held.sha256 is not None}
    for job in jobs(resolved, digests, {}):
        points = tuple(Point(p.key, p.quality, (), measured[p.key].sha256) for p in job.points
                       if p.key in measured and timed.get(p.key, 0) < protocol.repeats)  # fmt: skip
        if points:
            yield replace(job, points=points, timing=protocol)
