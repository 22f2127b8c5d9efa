"""The work that a run still needs: one function lists it and writes nothing, another stores the run's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchbox.plan import Entry, Job, Point, Resolved, SampleName, entries, missing_jobs, own_groups
from benchbox.session.digests import Digests, digests
from benchbox.session.progress import Progress
from benchbox.store import Store, WritableStore


@dataclass(frozen=True)
class Todo:
    """The rows of a run and the jobs that it still needs.

    Attributes:
        resolved: the plan.
        digests: pixel digests of its pictures.
        rows: the run's rows, in plan order.
        jobs: jobs for the missing points.
        own: the rows that are this session's to measure; all, unless the plan is sharded.
    """

    resolved: Resolved
    digests: Digests
    rows: tuple[Entry, ...]
    jobs: tuple[Job, ...]
    own: tuple[Entry, ...]

    @property
    def points(self) -> int:
        """Number of operating points to measure or score."""
        return sum(len(job.points) for job in self.jobs)

    @property
    def rescored(self) -> int:
        """Number of points that need only a stored stream decoded and scored."""
        return sum(point.stream is not None for job in self.jobs for point in job.points)

    def __str__(self) -> str:
        shard = f", shard {self.resolved.shard}" if self.resolved.shard else ""
        return (f"{self.resolved.plan.name}{shard}: {self.points} of {len(self.own)} points to measure"
                + (f", {self.rescored} of them only to score" if self.rescored else ""))  # fmt: skip


def list_missing(resolved: Resolved, store: Store, progress: Progress, retry: bool = False) -> Todo:
    """The rows of a run and jobs for those that the store lacks; `retry` includes points that runs no longer try."""
    found = digests(resolved, store, progress)
    rows = tuple(entries(resolved, found.all))
    versions = {m.id: m.version for m in resolved.metrics}
    have = store.have((row.key for row in rows), versions, retry, resolved.renewed)
    jobs, groups = missing_jobs(resolved, found.known, rows, have), own_groups(resolved, found.all)
    if groups is None:
        return Todo(resolved, found, rows, tuple(jobs), rows)
    mine = tuple(job for job in jobs if (job.sample.dataset, job.sample.sample, job.label) in groups)
    return Todo(resolved, found, rows, mine, tuple(r for r in rows if (r.dataset, r.sample, r.label) in groups))


def changed_codecs(resolved: Resolved, store: Store, rows: Iterable[Entry]) -> str:
    """A line about those of `rows` that were measured before their codec's plugin changed, though its identity did not
    and they still count; "" if there are none."""
    found = store.changed((row.key for row in rows), {c: s for c, s in resolved.sources.items()
                                                      if c not in resolved.renewed})  # fmt: skip
    count = sum(len(keys) for keys in found.values())
    its = "its" if len(found) == 1 else "their"
    return (f"{', '.join(sorted(found))} changed since {count} of {its} points were measured; "
            "--fresh measures them again") if found else ""  # fmt: skip


def register(todo: Todo, store: WritableStore) -> None:
    """Store the run's rows and the pictures that cannot be read."""
    store.register(todo.resolved.plan.name, todo.rows)
    _record_unreadable(todo, store)


def _record_unreadable(todo: Todo, store: WritableStore) -> None:
    substitutes = todo.digests.substitutes
    rows = []
    for place, why in todo.digests.unreadable.items():
        for configuration in todo.resolved.configurations:
            digest = substitutes[place]
            points = [Point(configuration.key(quality, digest), quality, ()) for quality in configuration.qualities]
            job = configuration.job(SampleName(*place), digest, points)
            rows += [(job, {"key": p.key, "status": why.status, "reason": why.reason}) for p in points]
    store.append(rows, {})
