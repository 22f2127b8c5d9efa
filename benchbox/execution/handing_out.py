"""Which job goes to which worker of a cluster, and what becomes of the jobs of a worker that is lost."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchbox.execution.executor import Admit
from benchbox.plan import Job, Point

AHEAD = 2
"""Tasks that a worker has for each that it runs at once, so that it need not wait for the next."""

TASK_SECONDS, MOST_JOBS = 0.5, 32
"""Jobs that are known to be short are given out together, as one task that takes so long: a task costs dask, its
scheduler and its client some 10 ms of processor time together. At most so many jobs are one task."""

MOST_LOSSES = 3
"""Workers lost with a point, alone on the last ones, before the point is blamed."""


@dataclass
class Given:
    """A job that was given to a worker.

    Attributes:
        losses: workers that were lost with it before; if any, it has a worker for itself.
        name: of its spool files; see `benchbox.execution.kept`.
        done: keys of its finished points.
        told: number of points that came, those that come once more among them.
        future: dask's, of the task that it is in, maybe with others.
    """

    job: Job
    losses: int = 0
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    done: set[str] = field(default_factory=set)
    told: int = 0
    future: Any = None

    @property
    def gpu(self) -> bool:
        """Whether it needs a device."""
        return self.job.device.partition(":")[0] == "cuda"

    def left(self) -> list[Point]:
        """Its points that are not finished."""
        return [point for point in self.job.points if point.key not in self.done]


@dataclass
class Member:
    """A worker that takes part: it runs `slots` jobs at once, of them as many that need a device as it has `gpus`."""

    address: str
    host: str
    slots: int
    gpus: float
    given: dict[str, Given] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"worker {self.address} on {self.host}"

    def free(self, ahead: int) -> bool:
        """Whether it may have another task, if it is to have `ahead` for each that it runs at once."""
        tasks = {id(given.future) for given in self.given.values()}
        return len(tasks) < ahead * self.slots and not any(given.losses for given in self.given.values())

    def free_gpu(self) -> bool:
        return sum(given.gpu for given in self.given.values()) < self.gpus


class Work:
    """Jobs still to be given out: those that were lost with a worker, which need one for themselves, then what is left
    of other lost ones, then the run's, drawn as they are needed."""

    def __init__(self, jobs: Iterable[Job], admit: Admit) -> None:
        self._jobs = iter(jobs)
        self._admit = admit
        self._suspects: deque[Given] = deque()
        self._seconds: dict[str, float] = {}
        self._waiting: dict[bool, deque[Given]] = {False: deque(), True: deque()}  # needs a device -> jobs

    def back(self, given: Given) -> None:
        """A job again that its worker did not begin, or did not want."""
        self._waiting[given.gpu].append(Given(given.job.only(given.left())))

    def lost(self, given: Given) -> Given | None:
        """A job again whose worker was lost: the point that it was at goes to a worker of its own, and the rest as
        before. If the point was lost too often it is given back, to be blamed."""
        left = given.left()
        if len(left) > 1:
            self._waiting[given.gpu].append(Given(given.job.only(left[1:])))
        suspect = Given(given.job.only(left[:1]), given.losses + 1)
        if suspect.losses >= MOST_LOSSES:
            return suspect
        if left:
            self._suspects.append(suspect)
        return None

    def took(self, given: Given, seconds: float) -> None:
        """Learn how long a job took."""
        known = self._seconds.get(given.job.label, seconds)
        self._seconds[given.job.label] = max(seconds, (known + seconds) / 2)

    def next_task(self, member: Member) -> list[Given]:
        """The next jobs that suit a worker that is free, for one task; empty if there are none."""
        first = self._suspect_for(member) or self._next(True, member.free_gpu()) or self._next(False)
        if first is None:
            return []
        jobs, seconds = [first], self._expected(first)
        while not first.losses and not first.gpu and len(jobs) < MOST_JOBS and seconds < TASK_SECONDS:
            another = self._next(False)
            if another is None:
                break
            jobs.append(another)
            seconds += self._expected(another)
        return jobs

    def _expected(self, given: Given) -> float:
        return self._seconds.get(given.job.label, TASK_SECONDS)

    def _suspect_for(self, member: Member) -> Given | None:
        if member.given:
            return None
        for given in [*self._suspects]:
            if not given.gpu or member.gpus:
                self._suspects.remove(given)
                if self._admitted(given):
                    return given
        return None

    def _next(self, gpu: bool, wanted: bool = True) -> Given | None:
        """The next job that needs a device, or needs none, if it is `wanted`."""
        return next((given for given in self._drawn(gpu) if self._admitted(given)), None) if wanted else None

    def waiting(self) -> Given | None:
        """A job that is still to be given out, whether or not it will be admitted; None if all are."""
        if self._suspects:
            return self._suspects[0]
        for jobs in (*self._waiting.values(), self._peeked()):
            if jobs:
                return jobs[0]
        return None

    def _admitted(self, given: Given) -> bool:
        """Whether a job is still wanted, which is then as it is to be run."""
        job = self._admit(given.job)
        given.job = job or given.job
        return job is not None

    def _drawn(self, gpu: bool) -> Iterator[Given]:
        """Jobs that need a device, or need none; of the run's jobs, those of the other kind are put aside."""
        while True:
            while self._waiting[gpu]:
                yield self._waiting[gpu].popleft()
            job = next(self._jobs, None)
            if job is None:
                return
            given = Given(job)
            self._waiting[given.gpu].append(given)

    def _peeked(self) -> deque[Given]:
        job = next(self._jobs, None)
        if job is None:
            return deque()
        given = Given(job)
        self._waiting[given.gpu].append(given)
        return self._waiting[given.gpu]
