"""A plan with its ids looked up, and the jobs it still needs: plan minus what the store has. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchbox.codec import CodecInfo, OptionsModel, QualityAxis, options_json
from benchbox.dataset import Dataset, Sample
from benchbox.errors import PlanError, QualityError
from benchbox.machine import gpus
from benchbox.metric import Metric
from benchbox.plan import CodecEntry, Plan, Timing, plan_text
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


@dataclass(frozen=True, slots=True)
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
    """A plan with its ids looked up in the registry and its paths absolute."""

    plan: Plan
    datasets: tuple[Dataset, ...]
    configurations: tuple[Configuration, ...]
    metrics: tuple[Metric, ...]
    left_out: Mapping[str, str]
    """Optional codecs that are unavailable here, with the reason."""

    @property
    def text(self) -> str:
        """The plan as TOML, which means the same from any folder."""
        return plan_text(self.plan)

    def only(self, samples: Collection[tuple[str, str]]) -> Resolved:
        """The same with those samples only that `samples` names, as (data set id, sample id)."""
        return replace(self, datasets=tuple(
            replace(d, samples=tuple(s for s in d.samples if (d.id, s.id) in samples)) for d in self.datasets))


def resolve(plan: Plan, registry: Registry, base: Path) -> Resolved:
    """Look up and validate everything a plan names; relative ``PATH`` arguments of data sets start from `base`.

    Raises:
        UsageError: an unknown id or option, a quality out of range, two configurations under one label, a metric that
            is unavailable here.
        CodecUnavailableError, DatasetError: with the remedy.
    """
    plan = plan.model_copy(update={"dataset": tuple(_anchored(name, registry, base) for name in plan.dataset)})
    metrics = tuple(_available(registry.metric(name)) for name in dict.fromkeys(plan.metrics))
    left_out = {e.id: why for e in plan.codec if e.optional and (why := registry.codec(e.id).unavailable())}
    configurations = tuple(_configure(entry, registry) for entry in plan.codec if entry.id not in left_out)
    labels = [c.label for c in configurations]
    for label in labels:
        if labels.count(label) > 1:
            raise PlanError(f"two codecs of the plan are called '{label}'; give one of them a label")
    datasets = tuple(registry.dataset(name) for name in dict.fromkeys(plan.dataset))
    return Resolved(plan, datasets, configurations, metrics, left_out)


def _available(metric: Metric) -> Metric:
    reason = metric.unavailable()
    if reason is not None:
        raise PlanError(f"metric {metric.id} is unavailable: {reason}")
    return metric


def _anchored(dataset: str, registry: Registry, base: Path) -> str:
    """`dataset` with a relative PATH argument made absolute, so that the name means the same from any folder."""
    name, colon, argument = dataset.partition(":")
    info = registry.dataset_info(name)
    if colon and info.argument == "PATH" and argument:
        return f"{name}:{(base / Path(argument).expanduser()).resolve()}"
    return dataset


def device_for(name: str, accepted: Iterable[str]) -> str:
    """The device that `name` means to something that takes the device classes `accepted`: ``"auto"`` is CUDA where an
    NVIDIA GPU answers and CUDA is among them, else the CPU; any other name is itself."""
    if name != "auto":
        return name
    return "cuda" if "cuda" in accepted and gpus() else "cpu"


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
    """All rows of a run, in its order; `digests` gives the pixel digest (or its substitute) of (data set, sample)."""
    for dataset, sample, configuration in _groups(resolved):
        digest = digests[dataset.id, sample.id]
        for quality in configuration.qualities:
            yield configuration.entry(dataset.id, sample.id, digest, quality)


def missing_jobs(
    resolved: Resolved, digests: Mapping[tuple[str, str], str], rows: Iterable[Entry], have: Mapping[str, Have]
) -> Iterator[Job]:
    """The plan minus what the store has.

    Args:
        digests: pixel digests of (data set id, sample id); a sample without one cannot be read and gets no job.
        rows: the run's `entries`. Equal work is done once.
        have: what the store holds, by key.
    """
    metrics = tuple(metric.id for metric in resolved.metrics)
    seen: set[str] = set()
    remaining = iter(rows)
    for dataset, sample, configuration in _groups(resolved):
        points = []
        for row in islice(remaining, len(configuration.qualities)):
            if row.key in seen:
                continue
            seen.add(row.key)
            point = configuration.missing(row.key, row.quality, metrics, have.get(row.key))
            if point is not None:
                points.append(point)
        digest = digests.get((dataset.id, sample.id))
        if points and digest is not None:
            yield configuration.job(sample, digest, points)


def timing_jobs(
    resolved: Resolved, digests: Mapping[tuple[str, str], str], rows: Iterable[Entry], have: Mapping[str, Have],
    timed: Mapping[str, int],
) -> Iterator[Job]:  # fmt: skip
    """Jobs that time what was measured; arguments as for `missing_jobs`, and `timed` counts the repeats held of each
    key under this protocol, on this host."""
    protocol = resolved.plan.timing
    if protocol is None:
        return
    measured = {key: held for key, held in have.items() if held.measured and held.sha256 is not None}
    for job in missing_jobs(resolved, digests, rows, {}):
        points = tuple(Point(p.key, p.quality, (), measured[p.key].sha256) for p in job.points
                       if p.key in measured and timed.get(p.key, 0) < protocol.repeats)  # fmt: skip
        if points:
            yield replace(job, points=points, timing=protocol)


def _groups(resolved: Resolved) -> Iterator[tuple[Dataset, Sample, Configuration]]:
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            for configuration in resolved.configurations:
                yield dataset, sample, configuration
