"""What a run would do: jobs, expected time and disk, from earlier timings or from one probing point a codec."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbox.execution.local import LocalExecutor
from benchbox.jobs import Job, Resolved
from benchbox.progress import Progress
from benchbox.runner import Todo, lock, prepare
from benchbox.store import Store

SCORING_SECONDS = 0.03
"""Seconds a megapixel and metric that scoring takes, where no probe told: the order of the bundled metrics."""


def describe(resolved: Resolved, workspace: Path, executor: LocalExecutor, progress: Progress) -> str:
    """The text of ``--dry-run``. Nothing measured here is stored."""
    with lock(workspace), Store(workspace) as store:
        todo = prepare(resolved, store, progress)
        known = store.seconds_and_bytes()
        probes = _probe(todo, known, executor)
    by_label: dict[str, list[Job]] = {}
    for job in todo.jobs:
        by_label.setdefault(job.label, []).append(job)
    lines = [f"{resolved.plan.name}: {todo.points} of {todo.rows} points to measure in {len(todo.jobs)} jobs"
             + (f", {todo.rescored} of them only to score" if todo.rescored else "")]  # fmt: skip
    seconds = size = 0.0
    for label, jobs in by_label.items():
        points = sum(len(job.points) for job in jobs)
        cost = known.get((jobs[0].codec, jobs[0].options)) or probes.get(label)
        if cost is None:
            lines.append(f"  {label}: {points} points, time unknown (its probe failed)")
            continue
        took = sum(_megapixels(job) * len(job.points) for job in jobs) * (
            cost[0] + SCORING_SECONDS * len(resolved.metrics)
        )
        kept = sum(_megapixels(job) * sum(p.stream is None for p in job.points) for job in jobs) * cost[1]
        seconds, size = seconds + took, size + kept
        lines.append(f"  {label}: {points} points, {took:.1f} s of one processor, {kept / 1e6:.1f} MB of streams")
    wall = seconds / min(executor.workers, os.cpu_count() or 1)
    lines.append(f"about {wall:.0f} s with {executor.workers} workers and {size / 1e6:.1f} MB of disk in {workspace}")
    return "\n".join(lines)


def _megapixels(job: Job) -> float:
    """Of the job's picture; one where its header does not tell."""
    width, height = job.sample.size() or (1000, 1000)
    return width * height / 1e6


def _probe(
    todo: Todo, known: Mapping[tuple[str, str], Any], executor: LocalExecutor
) -> dict[str, tuple[float, float]]:
    """(seconds, bytes) a megapixel of one middle point of each codec that was never timed in this workspace."""
    first: dict[str, Job] = {}
    for job in todo.jobs:
        if (job.codec, job.options) not in known:
            first.setdefault(job.label, job.only([job.points[len(job.points) // 2]]))
    found: dict[str, tuple[float, float]] = {}

    def keep(job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        for point in points:
            if point["status"] == "ok" and "bytes" in point:
                pixels = point["width"] * point["height"] / 1e6
                found[job.label] = (point["encode_s"] + point["decode_s"]) / pixels, point["bytes"] / pixels

    executor.run(first.values(), keep)
    return found
