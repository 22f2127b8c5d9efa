"""Describes a run without making it: the missing points, and their cost from earlier times or a probe of each codec.

Nothing is written to the workspace; probes run in a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from benchbox import machine
from benchbox.dataset import Sample
from benchbox.execution import LocalExecutor
from benchbox.plan import Job, Resolved
from benchbox.session.digests import digests
from benchbox.session.former import changes, summary_of
from benchbox.session.matched import Matching, most_tries_left
from benchbox.session.progress import Progress
from benchbox.session.todo import list_missing
from benchbox.store import EmptyStore, Store, Workspace

SCORING_SECONDS = 0.03
"""Seconds per megapixel and metric that scoring takes: the order of magnitude of the bundled metrics."""

Cost = tuple[float, float]
"""(seconds, bytes) per megapixel of one operating point."""


@dataclass(frozen=True)
class _Work:
    """A headline, the jobs behind it, how many operating points to count for each job, and their samples."""

    headline: str
    jobs: Sequence[Job]
    points: Callable[[Job], int]
    samples: Mapping[tuple[str, str], Sample]

    def megapixels(self, job: Job) -> float:
        """Size of the job's picture; one megapixel where its header does not tell."""
        width, height = self.samples[job.sample.dataset, job.sample.sample].size() or (1000, 1000)
        return width * height / 1e6


def _samples(resolved: Resolved) -> dict[tuple[str, str], Sample]:
    return {(dataset.id, sample.id): sample for dataset in resolved.datasets for sample in dataset.samples}


def describe(
    resolved: Resolved, workspace: Workspace, executor: Callable[[Workspace], LocalExecutor], progress: Progress,
    retry: bool = False,
) -> str:  # fmt: skip
    """The text of ``--dry-run``; `executor` makes an executor for the workspace it is given."""
    for codec, why in resolved.left_out.items():
        progress.say(f"{codec} is left out: {why}")
    with ExitStack() as stack:
        store = stack.enter_context((Store if workspace.database.exists() else EmptyStore)(workspace))
        for line in summary_of(changes(store, resolved)):
            progress.say(line)
        work = (_searches if resolved.plan.match else _sweep)(resolved, store, progress, retry)
        known = store.seconds_and_bytes() if work.jobs else {}
    with tempfile.TemporaryDirectory(prefix="benchbox-") as folder:
        probing = executor(Workspace.at(folder))
        costs = _costs(work.jobs, known, probing)
    return "\n".join(_lines(work, costs, len(resolved.metrics), probing.workers, workspace))


def _sweep(resolved: Resolved, store: Store, progress: Progress, retry: bool) -> _Work:
    todo = list_missing(resolved, store, progress, retry)
    return _Work(f"{todo} in {len(todo.jobs)} jobs", todo.jobs, lambda job: len(job.points),
                 _samples(resolved))


def _searches(resolved: Resolved, store: Store, progress: Progress, retry: bool) -> _Work:
    matching = Matching(resolved, digests(resolved, store, progress), store)
    waiting = matching.carry_on(retry)
    most: dict[tuple[str, str], int] = {}
    for search, _ in waiting:
        place = (search.digest, search.configuration.label)
        most[place] = most.get(place, 0) + most_tries_left(search)
    headline = (f"{resolved.plan.name}: {len(waiting)} of {len(matching.searches)} searches to continue, "
                f"at most {sum(most.values())} points to measure")
    return _Work(headline, matching.jobs(waiting), lambda job: most[job.sample_sha256, job.label],
                 _samples(resolved))


def _lines(
    work: _Work, costs: Mapping[str, Cost], metrics: int, workers: int, workspace: Workspace
) -> Iterable[str]:
    by_label: dict[str, list[Job]] = {}
    for job in work.jobs:
        by_label.setdefault(job.label, []).append(job)
    yield work.headline
    seconds = size = 0.0
    for label, jobs in by_label.items():
        points = sum(work.points(job) for job in jobs)
        if label not in costs:
            yield f"  {label}: {points} points, time unknown (its probe failed)"
            continue
        per_point, per_stream = costs[label]
        took = sum(work.megapixels(job) * work.points(job) for job in jobs) * (per_point + SCORING_SECONDS * metrics)
        scored = sum(work.megapixels(job) * sum(p.stream is not None for p in job.points) for job in jobs)
        kept = (sum(work.megapixels(job) * work.points(job) for job in jobs) - scored) * per_stream
        seconds, size = seconds + took, size + kept
        yield f"  {label}: {points} points, {took:.1f} s of one processor, {kept / 1e6:.1f} MB of streams"
    wall = seconds / min(workers, machine.cores())
    yield f"about {wall:.0f} s with {workers} workers and {size / 1e6:.1f} MB of disk in {workspace}"


def _costs(
    jobs: Iterable[Job], known: Mapping[tuple[str, str], Cost], executor: LocalExecutor
) -> dict[str, Cost]:
    """label -> cost: from the workspace, or by probing one middle point of each codec that has no times there."""
    found: dict[str, Cost] = {}
    probes: dict[str, Job] = {}
    for job in jobs:
        if (job.codec, job.options) in known:
            found[job.label] = known[job.codec, job.options]
        else:
            middle = job.points[len(job.points) // 2]
            probes.setdefault(job.label, job.only([replace(middle, stream=None, metrics=())]))

    def keep(job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        for point in points:
            if point["status"] == "ok" and "bytes" in point:
                pixels = point["width"] * point["height"] / 1e6
                found[job.label] = (point["encode_s"] + point["decode_s"]) / pixels, point["bytes"] / pixels

    executor.run(probes.values(), keep)
    return found
