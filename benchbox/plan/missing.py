"""The rows of a run, and the jobs it still needs: the plan minus what the store has. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from benchbox.dataset import Dataset, Sample
from benchbox.plan.jobs import Entry, Have, Job, Point, SampleName
from benchbox.plan.resolve import Configuration, Resolved


def entries(resolved: Resolved, digests: Mapping[tuple[str, str], str]) -> Iterator[Entry]:
    """All rows of a run, in plan order; `digests` maps (data set id, sample id) to a pixel digest or its substitute."""
    for dataset, sample, configuration in _groups(resolved):
        yield from configuration.entries(dataset.id, sample.id, digests[dataset.id, sample.id])


def missing_jobs(
    resolved: Resolved, digests: Mapping[tuple[str, str], str], rows: Iterable[Entry],
    unfinished: Mapping[str, Have | None] | None = None,
) -> Iterator[Job]:  # fmt: skip
    """The jobs for the plan's points that are unfinished. A point that several rows share is measured once.

    Args:
        digests: (data set id, sample id) -> pixel digest; a sample without one cannot be read and gets no job.
        rows: the run's `entries`.
        unfinished: key -> what the store holds of it, of the points of which it lacks something; None: of all points,
            and it holds nothing.
    """
    metrics = tuple(metric.id for metric in resolved.metrics)
    seen: set[str] = set()
    remaining = iter(rows)
    for dataset, sample, configuration in _groups(resolved):
        points = []
        for row in islice(remaining, len(configuration.qualities)):
            if row.key in seen or (unfinished is not None and row.key not in unfinished):
                continue
            seen.add(row.key)
            have = None if unfinished is None else unfinished[row.key]
            point = configuration.missing(row.key, row.quality, metrics, have)
            if point is not None:
                points.append(point)
        digest = digests.get((dataset.id, sample.id))
        if points and digest is not None:
            yield configuration.job(SampleName.of(dataset.id, sample), digest, points)


def own_groups(
    resolved: Resolved, digests: Mapping[tuple[str, str], str]
) -> set[tuple[str, str, str]] | None:
    """The (data set id, sample id, label) whose points are the share of the plan's shard; None if it has none.

    The pictures of each label are dealt out by their keys, so that every shard has as many of each codec. What is
    measured already does not count. `digests` are as for `entries`.
    """
    if resolved.shard is None:
        return None
    places = [(d.id, s.id) for d in resolved.datasets for s in d.samples]
    keys = {(*place, c.label): c.key(None, digests[place]) for c in resolved.configurations for place in places}
    mine = resolved.shard.deal([keys[*place, c.label] for place in places] for c in resolved.configurations)
    return {group for group, key in keys.items() if key in mine}


def timing_jobs(
    resolved: Resolved, digests: Mapping[tuple[str, str], str], rows: Iterable[Entry], measured: Mapping[str, str],
    timed: Mapping[str, int],
) -> Iterator[Job]:  # fmt: skip
    """The jobs that time measured points. Arguments as for `missing_jobs`; `measured` maps the key of a measured point
    to the SHA-256 of its stream, `timed` a key to the number of repeats that the store holds under this protocol, on
    this host."""
    protocol = resolved.plan.timing
    if protocol is None:
        return
    for job in missing_jobs(resolved, digests, rows):
        points = tuple(Point(p.key, p.quality, (), measured[p.key]) for p in job.points
                       if p.key in measured and timed.get(p.key, 0) < protocol.repeats)  # fmt: skip
        if points:
            yield replace(job, points=points, timing=protocol)


def _groups(resolved: Resolved) -> Iterator[tuple[Dataset, Sample, Configuration]]:
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            for configuration in resolved.configurations:
                yield dataset, sample, configuration
