"""One session of a run: keeps points as they come, and records what they were measured with."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchbox import machine
from benchbox.errors import RunInterrupted
from benchbox.execution import Executor, left_behind
from benchbox.plan import Job, Resolved
from benchbox.registry import Registry
from benchbox.session import record
from benchbox.session.progress import Progress
from benchbox.store import WritableStore, shown

GIVE_UP_AFTER = 8
"""Time-outs, crashes and memory kills of one codec in a row, with no success between, that end it for this run."""

_HARD = frozenset({"timeout", "crashed", "memory"})


@dataclass(frozen=True)
class Summary:
    """What a run consists of now, and what its last session did.

    Attributes:
        name, folder: of the run.
        counts: rows by status.
        failures: (label, status, reason, rows) of what is not ok, most frequent first.
        measured: points measured by this session, in `seconds`.
        given_up: labels of codecs that failed too often in a row.
        timed: points timed under protocol.
    """

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


class Session:
    """One session of a run, with all that it needs; a context manager. The caller holds the workspace's lock.

    Entering it takes in what a killed run left behind and writes the run's record; leaving it notes the end. A codec
    that fails hard again and again is given up.

    Attributes:
        resolved: the plan.
        store: where points are kept.
        progress: hears of every step.
        done: points measured so far.
        given_up: labels of codecs given up.
    """

    def __init__(
        self, resolved: Resolved, registry: Registry, store: WritableStore, executor: Executor, progress: Progress
    ) -> None:
        self.resolved = resolved
        self.store = store
        self.progress = progress
        self.done = 0
        self.given_up: list[str] = []
        self._registry = registry
        self._executor = executor
        self._id = _session_id(executor)
        self._start = time.monotonic()
        self._failed_in_a_row: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """The run's name."""
        return self.resolved.plan.name

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.store.workspace.run_folder(self.name)

    def __enter__(self) -> Session:
        folder = self.folder
        recovered = _recover(self.store, self._id, self.progress)
        if recovered:
            self.progress.say(f"took in {recovered} points of a run that was broken off")
        for codec, why in self.resolved.left_out.items():
            self.progress.say(f"{codec} is left out: {why}")
        record.write_run(folder, self.resolved, self._registry, self._id)
        return self

    def __exit__(self, *exception: object) -> None:
        record.note_end(self.folder)

    def measure(self, jobs: Iterable[Job], points: int) -> None:
        """Run jobs of `points` operating points in all and keep what comes.

        Raises:
            RunInterrupted: on Ctrl-C; what was measured is kept.
            StoreError: nothing more can be kept (a full disk); what was measured before is kept.
        """
        self.progress.begin(points, self.name)
        before = self.done
        try:
            self._executor.run(jobs, self._keep, self._wanted)
        except KeyboardInterrupt:
            raise RunInterrupted(f"stopped; {self.done - before} of {points} points were measured and are kept. "
                                 "Run the same command again to go on") from None
        finally:
            self.progress.end()

    def summary(self) -> Summary:
        """What the run consists of as the store now has it."""
        counts, failures = self.store.status_counts(self.name), self.store.failures(self.name)
        took = time.monotonic() - self._start
        return Summary(self.name, self.folder, counts, failures, self.done, took, self.given_up)

    def _keep(self, job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        self.store.append([(job, point) for point in points], self._id)
        for point in points:
            if point.get("goes_on"):  # comes once more, with the scores that it still lacks
                continue
            self.done += 1
            self.progress.step(point["status"])
            if point["status"] in _HARD:
                self._failed_in_a_row[job.label] += 1
            elif point["status"] == "ok":
                self._failed_in_a_row[job.label] = 0

    def _wanted(self, job: Job) -> bool:
        if self._failed_in_a_row[job.label] < GIVE_UP_AFTER:
            return True
        if job.label not in self.given_up:
            self.given_up.append(job.label)
            self.progress.say(f"{job.label}: given up for this run after {GIVE_UP_AFTER} hard failures in a row")
        return False


def _session_id(executor: Executor) -> dict[str, Any]:
    """What the timings of a session depend on; ids sort by time."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return {"id": f"{stamp}-{uuid.uuid4().hex[:6]}", "host": machine.host(),
            "threads": executor.threads, "workers": executor.workers}  # fmt: skip


def _recover(store: WritableStore, session: Mapping[str, Any], progress: Progress) -> int:
    """Take in what a killed run measured but could not store; returns the number of points. Damaged files are set
    aside, and what of them can be read is taken in."""
    count = 0
    for left in left_behind(store.workspace.spool):
        job = left.job
        if job is not None:
            store.append(((job, point) for point in left.points), session)
            count += len(left.points)
        if not left.damage:
            left.files.remove()
            continue
        folder = left.files.set_aside()
        progress.say(f"spool/{left.damage}; moved to {shown(folder)}, what it held is measured again")
    return count
