"""A run: plan - what the store has = jobs; submit; append. Running again does only what is missing."""

from __future__ import annotations

import fcntl
import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchbox import environment, record, samples
from benchbox.errors import RunInterrupted, StoreError
from benchbox.execution import Executor
from benchbox.execution.spool import left_behind
from benchbox.jobs import Have, Job, Point, Resolved, entries, jobs, timing_jobs
from benchbox.progress import Progress
from benchbox.registry import Registry
from benchbox.samples import Unreadable
from benchbox.store import Store
from benchbox.timing import DISTURBED

GIVE_UP_AFTER = 8
"""Time-outs, crashes and memory kills of one codec in a row, with no success between, that end it for this run."""

_HARD = frozenset({"timeout", "crashed", "memory"})


@dataclass(frozen=True)
class Summary:
    """What came of a run: rows by status, failures as (label, status, reason, rows), what this session did."""

    name: str
    folder: Path
    counts: Mapping[str, int]
    failures: Sequence[tuple[str, str, str, int]]
    measured: int
    seconds: float
    given_up: Sequence[str] = ()
    timed: int = 0

    @property
    def complete(self) -> bool:
        """Whether every row is there and none failed (unsupported pictures are an answer, not a failure)."""
        return set(self.counts) <= {"ok", "unsupported"}


@dataclass(frozen=True)
class Todo:
    """What a run still needs."""

    jobs: tuple[Job, ...]
    rows: int
    have: Mapping[str, Have] = field(repr=False, default_factory=dict)

    @property
    def points(self) -> int:
        """Operating points to measure or score."""
        return sum(len(job.points) for job in self.jobs)

    @property
    def rescored(self) -> int:
        """How many of them need only a kept stream decoded and scored."""
        return sum(point.stream is not None for job in self.jobs for point in job.points)


@contextmanager
def lock(workspace: Path) -> Iterator[None]:
    """Hold the workspace: one run at a time. Released by the system however the process ends."""
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        file = (workspace / "lock").open("a")
    except OSError as error:
        raise StoreError(f"cannot write in {workspace}: {error.strerror}; choose another --workspace") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"another run is at work in {workspace}; wait for it or choose another --workspace"
                             ) from None
        yield


def prepare(resolved: Resolved, store: Store, progress: Progress, retry: bool = False) -> Todo:
    """Settle what belongs to the run, record the pictures that cannot be read, and list what is missing."""
    known, bad = samples.digests(resolved, store, progress)
    stand_ins = {place: _stand_in(place, why) for place, why in bad.items()}
    rows = store.register(resolved.plan.name, entries(resolved, known | stand_ins))
    _record_unreadable(resolved, store, bad, stand_ins)
    have = store.have(resolved.plan.name, {m.id: m.version for m in resolved.metrics}, retry)
    return Todo(tuple(jobs(resolved, known, have)), rows, have)


def recover(store: Store, spool: Path, session: Mapping[str, Any]) -> int:
    """Take in what a killed run measured but could not store; returns the number of points."""
    count = 0
    for job, points, tail in left_behind(spool):
        store.append(((job, point) for point in points), session)
        count += len(points)
        tail.remove()
    for stray in spool.glob("*.job*"):  # .job of a task that never began, .jsonl that no job explains
        stray.unlink(missing_ok=True)
    return count


def session_of(executor: Executor) -> dict[str, Any]:
    """What the times of this session hang on; ids sort by time."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return {"id": f"{stamp}-{uuid.uuid4().hex[:6]}", "host": environment.host(),
            "threads": executor.threads, "workers": executor.workers}  # fmt: skip


def run(
    resolved: Resolved, plan_text: str, registry: Registry, store: Store, executor: Executor, progress: Progress,
    retry: bool = False,
) -> Summary:  # fmt: skip
    """Measure everything of a plan that the store lacks. The caller holds the workspace's lock.

    Raises:
        RunInterrupted: on Ctrl-C; what was measured is kept.
        StoreError: nothing more can be kept (a full disk); what was measured before is kept.
    """
    with Sitting(resolved, plan_text, registry, store, executor, progress) as sitting:
        todo = prepare(resolved, store, progress, retry)
        progress.say(f"{resolved.plan.name}: {todo.points} of {todo.rows} points to measure"
                     + (f", {todo.rescored} of them only to score" if todo.rescored else ""))
        sitting.measure(todo.jobs, todo.points)
    return sitting.summary()


def run_timing(
    resolved: Resolved, plan_text: str, registry: Registry, store: Store, executor: Executor, progress: Progress
) -> int:
    """Time, under the plan's protocol, what was measured; returns the number of points timed now.

    Only undisturbed timings of this host and protocol count as held, so a point timed beside other work is timed again
    by the next run.
    """
    name, protocol = resolved.plan.name, resolved.plan.timing
    assert protocol is not None
    with Sitting(resolved, plan_text, registry, store, executor, progress) as sitting:
        known, _ = samples.digests(resolved, store, progress)
        have = store.have(name, {})
        held = store.timed(name, environment.host(), protocol.batch, DISTURBED)
        todo = tuple(timing_jobs(resolved, known, have, held))
        points = sum(len(job.points) for job in todo)
        progress.say(f"{name}: {points} points to time, {protocol.repeats} repeats each, one worker on one core")
        sitting.measure(todo, points)
    still = tuple(timing_jobs(resolved, known, have, store.timed(name, environment.host(), protocol.batch, DISTURBED)))
    disturbed = sum(len(job.points) for job in still)
    if disturbed:
        progress.say(f"{disturbed} points were timed beside other work and are refused by speed tables; run again on a "
                     "quiet machine")
    return sitting.done


class Sitting:
    """One session of a run, from its record to its end: keeps points as they come, and gives up on a codec that fails
    hard again and again. A context manager; the caller holds the workspace's lock."""

    def __init__(
        self, resolved: Resolved, plan_text: str, registry: Registry, store: Store, executor: Executor,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._start = time.monotonic()
        self._store = store
        self._executor = executor
        self._session = session_of(executor)
        self._progress = progress
        self._in_a_row: Counter[str] = Counter()
        self._name = resolved.plan.name
        self._folder = store.workspace / self._name
        self.given_up: list[str] = []
        self.done = 0
        recovered = recover(store, store.workspace / "spool", self._session)
        if recovered:
            progress.say(f"took in {recovered} points of a run that was broken off")
        record.write_run(self._folder, plan_text, resolved, registry, self._session)

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, *exception: object) -> None:
        record.note_end(self._folder)

    def measure(self, jobs: Iterable[Job], points: int) -> None:
        """Run jobs of `points` operating points in all and keep what comes.

        Raises:
            RunInterrupted: on Ctrl-C; what was measured is kept.
        """
        self._progress.begin(points, self._name)
        before = self.done
        try:
            self._executor.run(jobs, self.keep, self.wanted)
        except KeyboardInterrupt:
            raise RunInterrupted(f"stopped; {self.done - before} of {points} points were measured and are kept. "
                                 "Run the same command again to go on") from None
        finally:
            self._progress.end()

    def summary(self) -> Summary:
        """What came of the run as the store now has it."""
        counts, failures = self._store.status_counts(self._name), self._store.failures(self._name)
        took = time.monotonic() - self._start
        return Summary(self._name, self._folder, counts, failures, self.done, took, self.given_up)

    def keep(self, job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        self._store.append([(job, point) for point in points], self._session)
        for point in points:
            self.done += 1
            self._progress.step(point["status"])
            if point["status"] in _HARD:
                self._in_a_row[job.label] += 1
            elif point["status"] == "ok":
                self._in_a_row[job.label] = 0

    def wanted(self, job: Job) -> bool:
        if self._in_a_row[job.label] < GIVE_UP_AFTER:
            return True
        if job.label not in self.given_up:
            self.given_up.append(job.label)
            self._progress.say(f"{job.label}: given up for this run after {GIVE_UP_AFTER} hard failures in a row")
        return False


def _stand_in(place: tuple[str, str], why: Unreadable) -> str:
    """In place of the digest of pixels that cannot be read."""
    return "unreadable " + hashlib.sha256("\n".join([*place, why.reason]).encode()).hexdigest()


def _record_unreadable(
    resolved: Resolved,
    store: Store,
    bad: Mapping[tuple[str, str], Unreadable],
    stand_ins: Mapping[tuple[str, str], str],
) -> None:
    by_place = {(d.id, s.id): s for d in resolved.datasets for s in d.samples}
    rows = []
    for place, why in bad.items():
        for c in resolved.configurations:
            points = [Point(c.key(quality, stand_ins[place]), quality, ()) for quality in c.qualities]
            job = c.job(by_place[place], stand_ins[place], points)
            rows += [(job, {"key": p.key, "status": why.status, "reason": why.reason}) for p in points]
    store.append(rows, {})
