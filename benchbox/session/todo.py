"""The work that a run still needs: one function lists it and writes nothing, another stores the run's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from benchbox.plan import Entry, Job, Point, Resolved, SampleName, entries, missing_jobs, own_groups
from benchbox.session.digests import Digests
from benchbox.store import Store, Wanted, WritableStore


@dataclass(frozen=True)
class Todo:
    """What a run still needs.

    Attributes:
        resolved: the plan.
        digests: pixel digests of its pictures.
        jobs: jobs for the missing points.
        shares: (data set id, sample id, label) of what is this session's to measure; None for all, without a shard.
        changed: codec id -> number of points measured before its plugin changed, which still count.
        all_ok: whether all points are measured and went through.
    """

    resolved: Resolved
    digests: Digests
    jobs: tuple[Job, ...]
    shares: Collection[tuple[str, str, str]] | None
    changed: Mapping[str, int]
    all_ok: bool

    @property
    def rows(self) -> Iterator[Entry]:
        """The run's rows, in plan order, made anew each time: a run may have millions."""
        return entries(self.resolved, self.digests.all)

    @property
    def own(self) -> Iterator[Entry]:
        """Those of `rows` that are this session's to measure."""
        shares = self.shares
        return (row for row in self.rows if shares is None or (row.dataset, row.sample, row.label) in shares)

    @property
    def points(self) -> int:
        """Number of operating points to measure or score."""
        return sum(len(job.points) for job in self.jobs)

    @property
    def rescored(self) -> int:
        """Number of points that need only a stored stream decoded and scored."""
        return sum(point.stream is not None for job in self.jobs for point in job.points)

    @property
    def total(self) -> int:
        """Number of `own` rows."""
        if self.shares is not None:
            return sum(1 for _ in self.own)
        pictures = sum(len(dataset.samples) for dataset in self.resolved.datasets)
        return pictures * sum(len(configuration.qualities) for configuration in self.resolved.configurations)

    def __str__(self) -> str:
        shard = f", shard {self.resolved.shard}" if self.resolved.shard else ""
        return (f"{self.resolved.plan.name}{shard}: {self.points} of {self.total} points to measure"
                + (f", {self.rescored} of them only to score" if self.rescored else ""))  # fmt: skip


def list_missing(resolved: Resolved, found: Digests, store: Store, retry: bool = False, listed: bool = False) -> Todo:
    """The rows of a run and jobs for those that the store lacks.

    Args:
        resolved: the plan.
        found: digests of its pictures.
        store: is only read.
        retry: whether points count that runs no longer try.
        listed: whether the store has the run's rows already, see `register`.
    """
    versions = {metric.id: metric.version for metric in resolved.metrics}
    wanted = Wanted(versions, retry, resolved.sources, frozenset(resolved.renewed))
    if listed or store.lists(resolved.plan.name, entries(resolved, found.all)):
        unfinished = store.unfinished_of(resolved.plan.name, wanted)
    else:
        unfinished = store.unfinished((row.key for row in entries(resolved, found.all)), wanted)
    points = unfinished.points
    jobs = missing_jobs(resolved, found.known, entries(resolved, found.all), points) if points else ()
    shares = own_groups(resolved, found.all)
    own = (job for job in jobs if shares is None or (job.sample.dataset, job.sample.sample, job.label) in shares)
    changed = Counter(have.changed for have in points.values()
                      if have is not None and have.changed and have.changed not in resolved.renewed)  # fmt: skip
    return Todo(resolved, found, tuple(own), shares, changed, unfinished.all_ok)


def changed_codecs(counts: Mapping[str, int]) -> str:
    """A line about points that were measured before their codec's plugin changed, though its identity did not and they
    still count; `counts` is their number by codec. "" if there are none."""
    its = "its" if len(counts) == 1 else "their"
    return (f"{', '.join(sorted(counts))} changed since {sum(counts.values())} of {its} points were measured; "
            "--fresh measures them again") if counts else ""  # fmt: skip


def register(resolved: Resolved, found: Digests, store: WritableStore) -> None:
    """Store the run's rows and the pictures that cannot be read."""
    store.register(resolved.plan.name, entries(resolved, found.all))
    substitutes = found.substitutes
    rows = []
    for place, why in found.unreadable.items():
        for configuration in resolved.configurations:
            digest = substitutes[place]
            points = [Point(configuration.key(quality, digest), quality, ()) for quality in configuration.qualities]
            job = configuration.job(SampleName(*place), digest, points)
            rows += [(job, {"key": p.key, "status": why.status, "reason": why.reason}) for p in points]
    store.append(rows, {})
