"""The order in which points are measured, so that a run that is stopped leaves curves of the right shape."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from benchbox.plan.jobs import Job
from benchbox.plan.resolve import Resolved

SPREAD = 4
"""Qualities and pictures of a first look: as many points as a curve needs for a BD-rate."""

Places: TypeAlias = Mapping[tuple[str, str], int]
"""(data set id, sample id) -> place of the picture in the order in which pictures are measured"""


def coarse_to_fine(count: int, spread: int = 2) -> list[int]:
    """The numbers 0 .. count - 1: first `spread` (at least 2) spread evenly, both ends included, then again and again
    the middle of the widest gap."""
    steps = max(1, min(spread, count) - 1)
    even = sorted({round(step * (count - 1) / steps) for step in range(steps + 1)}) if count else []
    order = [*even[:1], *even[:0:-1][:1], *even[1:-1]]
    gaps = [(low - high, low, high) for low, high in pairwise(even)]
    heapq.heapify(gaps)
    while gaps:
        _, low, high = heapq.heappop(gaps)
        if high - low < 2:
            continue
        middle = (low + high) // 2
        order.append(middle)
        for one, other in ((low, middle), (middle, high)):
            heapq.heappush(gaps, (one - other, one, other))
    return order


def coarse_first(jobs: Iterable[Job], resolved: Resolved) -> Iterator[Job]:
    """The same jobs, each with its points from coarse to fine: the ends of the axis first, then ever finer between."""
    ranks = _ranks(resolved, 2)
    for job in jobs:
        yield job.only(sorted(job.points, key=lambda point: ranks[job.label][point.quality]))


def quick_stages(jobs: Sequence[Job], resolved: Resolved, places: Places) -> list[list[Job]]:
    """The jobs in stages: `SPREAD` qualities on `SPREAD` pictures of each data set, the same qualities on all others,
    then ever finer qualities on all pictures, in the order of `places`. Stages without points are left out."""
    ranks = _ranks(resolved, SPREAD)
    ordered = sorted(jobs, key=lambda job: places[job.sample.dataset, job.sample.sample])
    first = [job for job in ordered if places[job.sample.dataset, job.sample.sample] < SPREAD]
    others = [job for job in ordered if places[job.sample.dataset, job.sample.sample] >= SPREAD]
    stages = [_between(some, ranks, 0, SPREAD) for some in (first, others)]
    low, last = SPREAD, max((len(rank) for rank in ranks.values()), default=0)
    while low < last:
        stages.append(_between(ordered, ranks, low, 2 * low - 1))
        low = 2 * low - 1
    return [stage for stage in stages if stage]


def _ranks(resolved: Resolved, spread: int) -> dict[str, dict[float | None, int]]:
    """label -> quality -> rank in the order from coarse to fine."""
    found: dict[str, dict[float | None, int]] = {}
    for configuration in resolved.configurations:
        axis = sorted(configuration.qualities, key=lambda quality: quality or 0.0)
        found[configuration.label] = {axis[k]: rank for rank, k in enumerate(coarse_to_fine(len(axis), spread))}
    return found


def _between(
    jobs: Iterable[Job], ranks: Mapping[str, Mapping[float | None, int]], low: int, high: int
) -> list[Job]:
    """The jobs with only the points whose rank is at least `low` and below `high`, in order of their ranks."""
    cut = []
    for job in jobs:
        rank = ranks[job.label]
        points = [point for point in job.points if low <= rank[point.quality] < high]
        if points:
            cut.append(job.only(sorted(points, key=lambda point: rank[point.quality])))
    return cut
