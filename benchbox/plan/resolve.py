"""A plan with its ids looked up in the registry: data sets opened, codecs configured, metrics found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchbox.codec import (
    CodecInfo,
    OptionsModel,
    QualityAxis,
    anchored_options,
    options_by_content,
    options_json,
)
from benchbox.dataset import Dataset
from benchbox.errors import PlanError, QualityError, one_line, plain_name, without_controls
from benchbox.guard import answered, breach
from benchbox.machine import gpus
from benchbox.metric import Metric
from benchbox.plan.jobs import Entry, Have, Job, Point, SampleName
from benchbox.plan.look import check_look
from benchbox.plan.plan import CodecEntry, Plan, Timing, check_name, plan_text
from benchbox.plan.shard import Shard
from benchbox.plan.target import parse_target
from benchbox.registry import Registry

_LONGEST_LINE = 4096
"""Characters of a codec's label and identity."""


@dataclass(frozen=True)
class Configuration:
    """One codec of a plan with its options, identity, qualities and device, all looked up and validated."""

    info: CodecInfo
    options: OptionsModel
    label: str
    identity: str
    qualities: tuple[float | None, ...]
    axis: QualityAxis | None
    device: str
    source: str | None = None
    """SHA-256 of the files of the codec's plugin, which is no part of the key."""

    def key(self, quality: float | None, sample_sha256: str) -> str:
        """Key of an encoding: SHA-256 (hex) of codec, options, identity, quality, device class and source pixels."""
        return hashlib.sha256(self._head(quality) + _tail(sample_sha256)).hexdigest()

    def _head(self, quality: float | None) -> bytes:
        """What keys are made from, as JSON up to the sample."""
        asked = {"codec": self.info.id, "options": self._options_by_content, "identity": self.identity,
                 "quality": quality, "device": self.device.partition(":")[0]}  # fmt: skip
        return (json.dumps(asked, sort_keys=True)[:-1] + ', "sample": ').encode()

    @cached_property
    def _heads(self) -> tuple[tuple[float | None, Any], ...]:
        """Each of the qualities with the SHA-256 of its `_head`, to go on with: a run has millions of keys."""
        return tuple((quality, hashlib.sha256(self._head(quality))) for quality in self.qualities)

    @cached_property
    def _options_by_content(self) -> str:
        return options_by_content(self.options)

    @cached_property
    def _options_json(self) -> str:
        return options_json(self.options)

    def entry(self, dataset: str, sample: str, sample_sha256: str, quality: float | None) -> Entry:
        """The row of a run for the picture `sample` of `dataset` at `quality`."""
        return Entry(self.key(quality, sample_sha256), dataset, sample, self.label, self.info.id, quality)

    def entries(self, dataset: str, sample: str, sample_sha256: str) -> Iterator[Entry]:
        """The rows of a run for the picture `sample` of `dataset`, at all qualities."""
        label, codec, tail = self.label, self.info.id, _tail(sample_sha256)
        for quality, head in self._heads:
            key = head.copy()
            key.update(tail)
            yield Entry._make((key.hexdigest(), dataset, sample, label, codec, quality))

    def missing(self, key: str, quality: float | None, metrics: tuple[str, ...], have: Have | None) -> Point | None:
        """The part of operating point `key` that a job must still measure, given `have`; None if nothing is missing."""
        if have is None or not have.measured:
            return Point(key, quality, metrics)
        unscored = have.lacks(metrics)
        if not unscored:
            return None
        if have.stream is None:
            return Point(key, quality, metrics)
        return Point(key, quality, unscored, have.stream, tuple(metric for metric in metrics if metric in have.scored))

    def job(
        self, sample: SampleName, sample_sha256: str, points: Iterable[Point], timing: Timing | None = None
    ) -> Job:
        """A job that measures `points` of one picture, or times them under the protocol `timing`."""
        return Job(sample, sample_sha256, self.info.id, self.label, self._options_json, self.identity,
                   self.device, tuple(points), timing)


def _tail(sample_sha256: str) -> bytes:
    return f"{json.dumps(sample_sha256)}}}".encode()


@dataclass(frozen=True)
class Resolved:
    """A plan with its ids looked up in the registry and its paths absolute."""

    plan: Plan
    datasets: tuple[Dataset, ...]
    configurations: tuple[Configuration, ...]
    metrics: tuple[Metric, ...]
    left_out: Mapping[str, str]
    """Optional codecs that are unavailable here, with the reason."""
    renewed: Mapping[str, str] = field(default_factory=dict)
    """Codec id -> SHA-256 of its plugin's files: points measured with other ones are measured again. Empty by default,
    when every point measured under the same identity counts."""
    shard: Shard | None = None
    """The share of the jobs to do; None: all."""

    @property
    def sources(self) -> dict[str, str]:
        """Codec id -> SHA-256 of the files of its plugin, where these are known."""
        return {c.info.id: c.source for c in self.configurations if c.source is not None}

    def fresh(self) -> Resolved:
        """The same plan, in which points count only where the codec's plugin has not changed since."""
        return replace(self, renewed=self.sources)

    def sharded(self, shard: Shard) -> Resolved:
        """The same plan, of which only the share `shard` is measured.

        Raises:
            PlanError: it searches (`match`) or is timed.
        """
        if self.plan.match:
            raise PlanError(f"shard {shard}: a plan with match is not sharded, since each search decides what comes "
                            "next and its rows are known at its end only; run it whole, or sweep qualities instead")
        if self.plan.timing is not None:
            raise PlanError(f"shard {shard}: a plan with [timing] is not sharded, since times of several machines must "
                            "not be mixed; take [timing] out, and time the merged run on one machine")
        return replace(self, shard=shard)

    @property
    def text(self) -> str:
        """The plan as TOML, with absolute paths, so that it means the same from any folder."""
        return plan_text(self.plan)

    def only(self, samples: Collection[tuple[str, str]]) -> Resolved:
        """The same plan with only the samples that `samples` names, as (data set id, sample id)."""
        return replace(self, datasets=tuple(
            replace(d, samples=tuple(s for s in d.samples if (d.id, s.id) in samples)) for d in self.datasets))


def _gpu_here() -> bool:
    return bool(gpus())


def resolve(plan: Plan, registry: Registry, base: Path, has_gpu: Callable[[], bool] = _gpu_here) -> Resolved:
    """Look up and validate everything a plan names; relative ``PATH`` arguments of data sets
    and relative paths in options start from `base`. `has_gpu` tells, for ``device = "auto"``, whether there is an
    NVIDIA GPU where codecs will run; by default, whether one answers on this machine.

    Raises:
        UsageError: an unknown id or option, a quality out of range, two configurations under one label, a metric that
            is unavailable here, a target that is none, a table `report` that names what is not measured, a core that
            is not here.
        CodecUnavailableError, DatasetError: with the remedy.
    """
    plan = plan.model_copy(update={
        "dataset": tuple(_anchored(name, registry, base) for name in plan.dataset),
        "codec": tuple(_with_files(entry, registry, base) for entry in plan.codec),
        "plugins": tuple(check_name(os.fspath(file.path)) for file in registry.files),
    })  # fmt: skip
    metrics = tuple(_available(registry.metric(name)) for name in dict.fromkeys(plan.metrics))
    for text in plan.match:
        parse_target(text, metrics)  # before a data set is opened, which may take long
    left_out = {e.id: one_line(why) for e in plan.codec
                if e.optional and (why := answered(registry.codec(e.id).unavailable))}  # fmt: skip
    configurations = tuple(_configure(e, registry, has_gpu) for e in plan.codec if e.id not in left_out)
    labels = [c.label for c in configurations]
    for label in labels:
        if labels.count(label) > 1:
            raise PlanError(f"two codecs of the plan are called '{label}'; give one of them a label")
    if plan.match and not any(c.axis is not None for c in configurations):
        raise PlanError(f"match: there is nothing to search, since {' and '.join(labels) or 'no codec'} "
                        f"{'has' if len(labels) < 2 else 'have'} no quality; name a lossy codec, or take match out")
    check_look(plan.report, {c.label: c.info.id for c in configurations}, metrics, plan.dataset,
               [entry for entry in plan.codec if entry.id in left_out], registry)
    if plan.timing is not None:
        pinned_core(plan.timing)
    datasets = tuple(registry.dataset(name) for name in dict.fromkeys(plan.dataset))
    return Resolved(plan, datasets, configurations, metrics, left_out)


def _available(metric: Metric) -> Metric:
    reason = answered(metric.unavailable)
    if reason is not None:
        raise PlanError(f"metric {metric.id} is unavailable: {reason}")
    return metric


def _anchored(dataset: str, registry: Registry, base: Path) -> str:
    """`dataset` with a relative PATH argument made absolute, so that the name means the same from any folder."""
    name, colon, argument = dataset.partition(":")
    info = registry.dataset_info(name)
    if colon and info.argument == "PATH" and argument:
        try:
            return check_name(f"{name}:{(base / Path(argument).expanduser()).resolve()}")
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: no home folder, a loop of links
            raise PlanError(f"{name}: {error}; give the folder's full path") from error
    return dataset


def _with_files(entry: CodecEntry, registry: Registry, base: Path) -> CodecEntry:
    """`entry` with the files that its options name at absolute paths."""
    if entry.optional and answered(registry.codec(entry.id).unavailable):
        return entry
    options = anchored_options(registry.codec(entry.id).Options, entry.options, base, entry.id)
    return entry.model_copy(update={"options": options})


def device_for(name: str, accepted: Collection[str], label: str, has_gpu: Callable[[], bool] = _gpu_here) -> str:
    """The device to use where only the device classes `accepted` work: ``"auto"`` becomes CUDA if that is among them
    and an NVIDIA GPU answers (`has_gpu`), else the CPU; any other name is returned as it is.

    Raises:
        PlanError: `name` is of no class that is accepted; names the codec by its `label`.
    """
    if name != "auto":
        if name.partition(":")[0] not in accepted:
            raise PlanError(f"{label}: runs on {' or '.join(accepted)}, not on '{name}'; choose one of these, or auto")
        return name
    return "cuda" if "cuda" in accepted and has_gpu() else "cpu"


def pinned_core(protocol: Timing) -> int:
    """The processor core that points are timed on. Raises PlanError if this process may not use it."""
    allowed = os.sched_getaffinity(0)
    core = max(allowed) if protocol.core is None else protocol.core
    if core not in allowed:
        choice = ", ".join(map(str, sorted(allowed)))
        raise PlanError(f"timing.core: there is no core {core} here; take one of {choice}")
    return core


def _configure(entry: CodecEntry, registry: Registry, has_gpu: Callable[[], bool]) -> Configuration:
    info = registry.codec(entry.id)
    options = info.parse_options(entry.options)
    answered(info.require, options)
    label = entry.label or _line_of(info, "label", answered(info.label, options))
    device = device_for(entry.device, info.capabilities.devices, label, has_gpu)
    axis = answered(info.axis, options)
    if axis is not None and not isinstance(axis, QualityAxis):
        raise breach(info.axis, f"axis gave a {type(axis).__name__}; it must give a QualityAxis or None", info.id)
    qualities: tuple[float | None, ...]
    if axis is None and not info.capabilities.lossless:
        raise breach(info.axis, "a codec has either capabilities.lossless or a quality axis, and this one has neither; "
                     "give it `quality = QualityAxis(...)` or `Capabilities(lossless=True)`", info.id)
    if axis is None:
        if entry.qualities:
            raise QualityError(f"{label}: a lossless codec has no quality; leave the qualities out")
        qualities = (None,)
    else:
        asked = entry.qualities if entry.qualities is not None else axis.values
        qualities = tuple(dict.fromkeys(axis.check(q, label) for q in asked))
    return Configuration(info, options, label, registry.identity(info, options), qualities, axis, device,
                          registry.source_sha256(info.id))


def _line_of(info: CodecInfo, method: str, text: object) -> str:
    """What a codec's `label` gave, if it can be stored and shown on one line."""
    if not isinstance(text, str) or not plain_name(text) or without_controls(text) != text or len(text) > _LONGEST_LINE:
        said = f"{method} must give one line of text, got {one_line(repr(text), 80)}"
        raise breach(getattr(info, method), said, info.id)
    return plain_name(text)
