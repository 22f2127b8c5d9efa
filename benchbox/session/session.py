"""One session of a run: stores points as they come, and records the software and machine that measured them."""

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
from benchbox.dataset import summarised, twins
from benchbox.errors import RunInterrupted
from benchbox.execution import Executor, Patience, left_behind
from benchbox.plan import Job, Resolved, SampleName
from benchbox.registry import Registry
from benchbox.session import record
from benchbox.session.digests import Digests, Unreadable, read_digest, stamp_of
from benchbox.session.failures import merged
from benchbox.session.former import keep_former, say_what_differs
from benchbox.session.progress import Progress
from benchbox.session.quick import Looks
from benchbox.session.todo import Todo
from benchbox.store import WritableStore, shown


@dataclass(frozen=True)
class Summary:
    """The state of a run, and the work of its last session.

    Attributes:
        name, folder: name and folder of the run.
        counts: status -> number of rows; of a shard those that are its own.
        failures: (label, status, reason, rows) of the rows that are not ok, most frequent first; reasons that differ
            only by temporary paths are one.
        measured: number of points that this session measured, in `seconds`.
        given_up: labels of codecs that failed too often in a row.
        timed: number of points timed under the timing protocol.
        elsewhere: number of rows that are other shards' to measure.
    """

    name: str
    folder: Path
    counts: Mapping[str, int]
    failures: Sequence[tuple[str, str, str, int]]
    measured: int
    seconds: float
    given_up: Sequence[str] = ()
    timed: int = 0
    elsewhere: int = 0

    @property
    def complete(self) -> bool:
        """True if every row is measured and none failed (an unsupported picture is an answer, not a failure)."""
        return set(self.counts) <= {"ok", "unsupported"}


class Session:
    """One session of a run; a context manager. The caller holds the workspace's lock.

    Entering it stores the points that a killed run left in the spool, keeps what the run was if its codecs have
    changed, and writes the run's record; leaving it records the end. Codecs and metrics whose worker dies again and
    again are given up; see `benchbox.execution.Patience`.

    Attributes:
        resolved: the plan.
        store: receives the points.
        progress: is called at each step.
        done: number of points measured so far.
        former: what the run was before its codecs changed, ``NAME~1``; None if this session found none changed.
    """

    def __init__(
        self, resolved: Resolved, registry: Registry, store: WritableStore, executor: Executor, progress: Progress
    ) -> None:
        self.resolved = resolved
        self.store = store
        self.progress = progress
        self.done = 0
        self.former: str | None = None
        self._patience = Patience(progress.say)
        self._registry = registry
        self._executor = executor
        self._id = _session_id(executor)
        self._start = time.monotonic()
        self._said: set[str] = set()
        self._held: list[tuple[Job, Mapping[str, Any]]] = []

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
            self.progress.say(f"recovered {recovered} points of an interrupted run")
        for dataset in self.resolved.datasets:
            for line in dataset.passed_over:
                self.progress.say(f"{dataset.id}: {line}")
        for codec, why in self.resolved.left_out.items():
            self.progress.say(f"{codec} is left out: {why}")
        self.former = keep_former(self.store, self.resolved, folder, str(self._id["id"]), self.progress)
        record.write_run(folder, self.resolved, self._registry, self._id)
        return self

    def __exit__(self, *exception: object) -> None:
        hosts = self._executor.hosts
        record.note_end(self.folder, hosts, self._executor.workers if hosts else None)

    def measure(self, jobs: Iterable[Job], points: int, looks: Looks | None = None) -> None:
        """Run `jobs`, which have `points` operating points in total, and store each point as it comes; `looks` says
        what they show so far.

        Raises:
            RunInterrupted: on Ctrl-C; points measured before are kept.
            StoreError: nothing more can be stored (a full disk); points measured before are kept.
        """
        self.progress.begin(points, self.name)
        before = self.done
        try:
            self._executor.run(jobs, _Keep(self, looks), self._patience.admit)
        except KeyboardInterrupt:
            raise RunInterrupted(f"stopped; {self.done - before} of {points} points were measured and are kept. "
                                 "Run the same command again to continue") from None
        finally:
            self.progress.end()

    def note_pictures(self, found: Digests) -> None:
        """Store digests and notes just taken; enter the reader's notes into the run's record, and say them once, and
        which pictures a data set has more than once."""
        self.store.keep_digests(found.fresh)
        self.store.keep_notes(found.fresh_notes)
        notes: dict[str, dict[str, tuple[str, ...]]] = {}
        for (dataset, sample), lines in found.notes.items():
            notes.setdefault(dataset, {})[sample] = lines
        record.note_pictures(self.folder, notes)
        for dataset, pictures in notes.items():
            for line in summarised(pictures):
                self._say_once(f"{dataset}: {line}")
        for source in self.resolved.datasets:
            places = [(source.id, sample.id) for sample in source.samples if (source.id, sample.id) in found.known]
            for line in twins({place[1]: found.known[place] for place in places}):
                self._say_once(f"{source.id}: {line}")

    def pictures_changed(self) -> bool:
        """Whether a worker found pictures that are no longer those planned, so that the run is to be listed anew.

        Their points are dropped, as they belong to pictures that are gone. Points of pictures that are here as they
        were planned, that a manifest promises otherwise, or that cannot be read now though their stamp is that of the
        planned picture, are stored as failed.
        """
        held, self._held = self._held, []
        samples = {(dataset.id, sample.id): sample for dataset in self.resolved.datasets for sample in dataset.samples}
        now: dict[SampleName, tuple[str | Unreadable, str | None]] = {}
        anew = set()
        for job, point in held:
            sample = samples[job.sample.dataset, job.sample.sample]
            if job.sample not in now:
                before = stamp_of(job.sample.dataset, sample)
                found = read_digest(sample)
                if isinstance(found, Unreadable) and before:  # one that is known by its stamp is away and not changed
                    found = self.store.known_digests([before]).get(before, found)
                now[job.sample] = found, before
            digest, stamp = now[job.sample]
            if digest == job.sample_sha256 or sample.sha256() is not None:
                self._store([(job, point)])
                continue
            if stamp and isinstance(digest, str) and stamp == stamp_of(job.sample.dataset, sample):
                self.store.keep_digests({stamp: digest})
            anew.add(sample.id)
        for name in sorted(anew):
            self.progress.say(f"{name}: the picture has changed since it was last read; it is measured anew")
        return bool(anew)

    def compare_with_former(self) -> None:
        """If the codecs have changed, say what is other than in the former run."""
        if self.former is not None:
            say_what_differs(self.store, self.former, self.name, self.progress)

    def summary(self, todo: Todo | None = None) -> Summary:
        """The state of the run, read from the store; of a shard that of its own rows. `todo` is what the run needed
        when it was listed last."""
        if todo is not None and todo.all_ok and not todo.jobs and todo.shares is None:
            counts: Mapping[str, int] = {"ok": todo.total} if todo.total else {}  # nothing was stored since
            return self._summary(counts, [])
        counts, failed = self.store.outcomes(self.name)
        if todo is None or todo.shares is None:
            return self._summary(counts, merged(failed))
        own = tuple(todo.own)
        elsewhere = sum(counts.values()) - len(own)
        tried = self.store.outcomes_of(row.key for row in own)
        found = Counter((row.label, *tried.get(row.key, ("missing", ""))) for row in own)
        counts = Counter(tried.get(row.key, ("missing", ""))[0] for row in own)
        failures = merged([(*kind, rows) for kind, rows in found.most_common() if kind[1] not in ("ok", "missing")])
        return self._summary(counts, failures, elsewhere)

    def _summary(
        self, counts: Mapping[str, int], failures: Sequence[tuple[str, str, str, int]], elsewhere: int = 0
    ) -> Summary:
        return Summary(self.name, self.folder, counts, failures, self.done, time.monotonic() - self._start,
                       self._patience.codecs, elsewhere=elsewhere)

    def keep(self, job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        """Store finished points; those of pictures that have changed are held for `pictures_changed`."""
        self._held += [(job, point) for point in points if point.get("changed") and job.timing is None]
        self._store([(job, point) for point in points if not point.get("changed") or job.timing is not None])

    def _store(self, points: Sequence[tuple[Job, Mapping[str, Any]]]) -> None:
        self.store.append(points, self._id)
        for job, point in points:
            self._patience.learn(job, point)
            if point.get("goes_on"):  # comes once more, with the scores that it still lacks
                continue
            self.done += 1
            self.progress.step(point["status"])
            if job.timing is not None and point["status"] != "ok":
                self._say_once(f"{job.label}: not timed: {point['reason']}")

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self.progress.say(line)


class _Keep:
    """What a session's executor calls with finished points; those of a block of `together` are stored in one
    transaction."""

    def __init__(self, session: Session, looks: Looks | None) -> None:
        self._session = session
        self._looks = looks
        self.together = session.store.together

    def __call__(self, job: Job, points: Sequence[Mapping[str, Any]]) -> None:
        known = self._session.done
        self._session.keep(job, points)
        if self._looks is not None:
            self._looks.points(self._session.done - known)


def _session_id(executor: Executor) -> dict[str, Any]:
    """The id of a new session and the conditions that its timings depend on; ids sort by time."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return {"id": f"{stamp}-{uuid.uuid4().hex[:6]}", "host": machine.host(),
            "threads": executor.threads, "workers": executor.workers}  # fmt: skip


def _recover(store: WritableStore, session: Mapping[str, Any], progress: Progress) -> int:
    """Take in what a killed run measured but could not store; returns the number of points. Damaged files are set
    aside, and what of them can be read is taken in. Where the picture was not the planned one nothing was measured."""
    count = 0
    for left in left_behind(store.workspace.spool):
        job = left.job
        if job is not None:
            streams = [str(point["stream_sha256"]) for point in left.points if point.get("stream_sha256")]
            damaged = store.workspace.streams.damaged(streams)  # since then; such a point is measured again
            whole = [point for point in left.points
                     if point.get("stream_sha256") not in damaged and not point.get("changed")]  # fmt: skip
            count += store.append([(job, point) for point in whole], session, again=True)
        if not left.damage:
            left.files.remove()
            continue
        folder = left.files.set_aside()
        progress.say(f"spool/{left.damage}; moved to {shown(folder)}, what it held is measured again")
    return count
