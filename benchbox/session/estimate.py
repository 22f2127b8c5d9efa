"""Describes a run without making it: the missing points, and their cost from earlier times or a probe of each codec.

Nothing is written to the workspace; probes run in a temporary folder.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from benchbox import machine
from benchbox.dataset import Sample
from benchbox.execution import LocalExecutor
from benchbox.fork_server import ForkServer
from benchbox.machine import SHORTEST_LOOK
from benchbox.plan import DISTURBED, Job, Resolved, timing_jobs
from benchbox.session.digests import digests
from benchbox.session.former import changes, summary_of
from benchbox.session.matched import Matching, most_tries_left, not_searched
from benchbox.session.progress import Progress
from benchbox.session.todo import Todo, list_missing
from benchbox.store import EmptyStore, Store, Workspace

SCORING_SECONDS = 0.03
"""Seconds per megapixel and metric that scoring takes: the order of magnitude of the bundled metrics."""

START_SECONDS, START_PROCESSOR_SECONDS = 1.5, 2.5
"""Seconds that a run takes to its first result, and processor seconds that its processes take to start and to end."""

SERVER_SECONDS = 1.0
"""Of these, what the process that workers are forked from and the first of them take."""

JOB_SECONDS, POINT_SECONDS, LISTING_SECONDS = 0.02, 0.003, 1.5e-5
"""Seconds that a job takes besides its points, a point besides its codec and metrics, however small the picture is, and
a row to be listed, whether it is measured already or not."""

LOADING_SECONDS, REPORT_SECONDS, REPORTED_SECONDS = 1.5, 2.0, 1e-4
"""Seconds to load what reports are made with, that a report takes, and a row in it."""

READING_SECONDS, KEEPING_SECONDS = 0.06, 0.01
"""Seconds per megapixel to read a picture and prepare a metric, and to copy, compare and digest a decoded one."""

MOST_PROBE_SECONDS = 3.0
"""Seconds of its calls that a codec whose cost is known may take to be probed for what opening it takes; beside more,
opening is little."""

UNTIMED_CALLS = 2
"""Times that a job encodes and decodes its picture besides its points: to warm up, and in another process."""

Cost = tuple[float, float]
"""(seconds of one processor, bytes) per megapixel of one operating point."""


@dataclass(frozen=True)
class _Work:
    """A headline, the number of the run's rows, the jobs that it needs, how many operating points to count for each
    job, their samples, and the jobs that will be timed under the plan's protocol."""

    headline: str
    rows: int
    jobs: Sequence[Job]
    points: Callable[[Job], int]
    samples: Mapping[tuple[str, str], Sample]
    timed: Sequence[Job] = ()

    def seconds(self, job: Job, per_megapixel: float, metrics: int) -> float:
        """Seconds of one processor to measure a job's points."""
        points, pixels = self.points(job), self.megapixels(job)
        point = per_megapixel + KEEPING_SECONDS + SCORING_SECONDS * metrics
        job_alone = READING_SECONDS + UNTIMED_CALLS * per_megapixel
        return JOB_SECONDS + points * POINT_SECONDS + pixels * (job_alone + points * point)

    def timing_seconds(self, job: Job, per_megapixel: float) -> float:
        """Seconds to time a job's points: an untimed call, then the repeats, and a look at other processes."""
        assert job.timing is not None
        calls = (job.timing.repeats + 1) * job.timing.batch
        per_point = POINT_SECONDS + self.megapixels(job) * calls * per_megapixel
        return JOB_SECONDS + max(SHORTEST_LOOK, len(job.points) * per_point)

    def megapixels(self, job: Job) -> float:
        """Size of the job's picture; one megapixel where its header does not tell."""
        width, height = self.samples[job.sample.dataset, job.sample.sample].size() or (1000, 1000)
        return width * height / 1e6


def _samples(resolved: Resolved) -> dict[tuple[str, str], Sample]:
    return {(dataset.id, sample.id): sample for dataset in resolved.datasets for sample in dataset.samples}


def describe(
    resolved: Resolved, workspace: Workspace, executor: Callable[..., LocalExecutor], progress: Progress,
    retry: bool = False, reports: int = 0,
) -> str:  # fmt: skip
    """The text of ``--dry-run``; `executor` makes an executor for the workspace and the fork server (`server`) that it
    is given, and so many `reports` follow the run."""
    for codec, why in resolved.left_out.items():
        progress.say(f"{codec} is left out: {why}")
    for line in not_searched(resolved) if resolved.plan.match else ():
        progress.say(line)
    with ExitStack() as stack:
        store = stack.enter_context((Store if workspace.database.exists() else EmptyStore)(workspace))
        for line in summary_of(changes(store, resolved)):
            progress.say(line)
        work = (_searches if resolved.plan.match else _sweep)(resolved, store, progress, retry)
        known = store.seconds_and_bytes() if work.jobs or work.timed else {}
    with tempfile.TemporaryDirectory(prefix="benchbox-") as folder:
        before = _children_seconds()
        with ForkServer() as server:
            probing = executor(Workspace.at(folder), server=server)
            costs, probes = _costs(work, known, probing)
        used = _children_seconds() - before
    calls = sum(work.megapixels(probe) * costs[label][0] for label, probe in probes.items() if label in costs)
    opening = max(0.0, used - SERVER_SECONDS - (1 + UNTIMED_CALLS) * calls) if probes else 0.0
    return "\n".join(_lines(work, costs, opening, len(resolved.metrics), probing.workers, reports, workspace))


def _sweep(resolved: Resolved, store: Store, progress: Progress, retry: bool) -> _Work:
    todo = list_missing(resolved, digests(resolved, store, progress), store, retry)
    return _Work(f"{todo} in {len(todo.jobs)} jobs", todo.total, todo.jobs, lambda job: len(job.points),
                 _samples(resolved), _to_time(resolved, store, todo))


def _to_time(resolved: Resolved, store: Store, todo: Todo) -> list[Job]:
    """The jobs that time what the store holds no undisturbed times of, if all that can be measured goes through."""
    protocol = resolved.plan.timing
    if protocol is None:
        return []
    keys = [row.key for row in todo.rows]
    held = store.timed(keys, machine.host(), protocol.batch, DISTURBED)
    return list(timing_jobs(resolved, todo.digests.known, todo.rows, dict.fromkeys(keys, ""), held))


def _searches(resolved: Resolved, store: Store, progress: Progress, retry: bool) -> _Work:
    matching = Matching(resolved, digests(resolved, store, progress), store)
    waiting = matching.carry_on(retry)
    most: dict[tuple[str, str], int] = {}
    for search, _ in waiting:
        place = (search.digest, search.configuration.label)
        most[place] = most.get(place, 0) + most_tries_left(search)
    headline = (f"{resolved.plan.name}: {len(waiting)} of {len(matching.searches)} searches to continue, "
                f"at most {sum(most.values())} points to measure")
    return _Work(headline, len(matching.searches), matching.jobs(waiting),
                 lambda job: most[job.sample_sha256, job.label], _samples(resolved))


def _lines(
    work: _Work, costs: Mapping[str, Cost], opening: float, metrics: int, workers: int, reports: int,
    workspace: Workspace,
) -> Iterable[str]:  # fmt: skip
    """`opening` are the seconds of one processor that a worker takes to open the codecs that were probed."""
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
        took = sum(work.seconds(job, per_point, metrics) for job in jobs)
        scored = sum(work.megapixels(job) * sum(p.stream is not None for p in job.points) for job in jobs)
        kept = (sum(work.megapixels(job) * work.points(job) for job in jobs) - scored) * per_stream
        seconds, size = seconds + took, size + kept
        yield f"  {label}: {points} points, {took:.1f} s of one processor, {kept / 1e6:.1f} MB of streams"
    listing = LISTING_SECONDS * work.rows
    opened = opening * min(workers, len(work.jobs))
    start = START_PROCESSOR_SECONDS + listing + opened
    yield f"  start: {start:.1f} s of one processor"
    wall = START_SECONDS + listing + (opened + seconds) / min(workers, machine.cores())
    processor = start + seconds
    if work.timed:
        mean = sum(per_point for per_point, _ in costs.values()) / max(1, len(costs))
        took = START_SECONDS + opening + sum(
            work.timing_seconds(job, costs.get(job.label, (mean, 0.0))[0]) for job in work.timed)  # fmt: skip
        yield f"  timing: {sum(len(job.points) for job in work.timed)} points, {took:.1f} s of one processor"
        wall, processor = wall + took, processor + took
    if reports:
        took = LOADING_SECONDS + reports * (REPORT_SECONDS + REPORTED_SECONDS * work.rows)
        yield f"  {reports} {'report' if reports == 1 else 'reports'}: {took:.1f} s of one processor"
        wall, processor = wall + took, processor + took
    yield (f"about {wall:.0f} s with {workers} workers, {processor:.0f} s of processor time and {size / 1e6:.1f} MB of "
           f"disk in {workspace}")  # fmt: skip


def _costs(
    work: _Work, known: Mapping[tuple[str, str], Cost], executor: LocalExecutor
) -> tuple[dict[str, Cost], dict[str, Job]]:
    """label -> cost: from the workspace, or by probing one middle point of each codec that has no times there; and
    label -> the probe, also of a codec with times there if its calls are quick."""
    found: dict[str, Cost] = {}
    probes: dict[str, Job] = {}
    for job in [*work.jobs, *work.timed]:
        cost = known.get((job.codec, job.options))
        if cost is not None:
            found[job.label] = cost
        if cost is None or (1 + UNTIMED_CALLS) * cost[0] * work.megapixels(job) <= MOST_PROBE_SECONDS:
            middle = job.points[len(job.points) // 2]
            probe = replace(job.only([replace(middle, stream=None, metrics=())]), timing=None)
            probes.setdefault(job.label, probe)

    def keep(job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        for point in points:
            if point["status"] == "ok" and "bytes" in point:
                pixels = point["width"] * point["height"] / 1e6
                kind = "_cpu_s" if job.device == "cpu" else "_s"  # others may be busy here; a GPU is waited for
                seconds = sum(point[side + kind] for side in ("encode", "decode"))
                found.setdefault(job.label, (seconds / pixels, point["bytes"] / pixels))

    executor.run(probes.values(), keep)
    return found, probes


def _children_seconds() -> float:
    """Processor seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
