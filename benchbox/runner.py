"""A run: plan - what the store has = jobs; submit; append. Running again does only what is missing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchbox import environment, samples
from benchbox.codec import options_json
from benchbox.errors import RunInterrupted, StoreError
from benchbox.execution import Executor
from benchbox.execution.spool import left_behind
from benchbox.jobs import Have, Job, Point, Resolved, entries, jobs
from benchbox.progress import Progress
from benchbox.registry import Registry
from benchbox.samples import Unreadable
from benchbox.store import Store

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
    name = resolved.plan.name
    start = time.monotonic()
    session = session_of(executor)
    recovered = recover(store, store.workspace / "spool", session)
    if recovered:
        progress.say(f"took in {recovered} points of a run that was broken off")
    todo = prepare(resolved, store, progress, retry)
    folder = _write_run(store, name, plan_text, resolved, registry, session)
    progress.say(f"{name}: {todo.points} of {todo.rows} points to measure"
                 + (f", {todo.rescored} of them only to score" if todo.rescored else ""))
    watch = _Watch(store, session, progress)
    progress.begin(todo.points, name)
    try:
        executor.run(todo.jobs, watch.keep, watch.wanted)
    except KeyboardInterrupt:
        raise RunInterrupted(f"stopped; {watch.done} of {todo.points} points were measured and are kept. "
                             "Run the same command again to go on") from None
    finally:
        progress.end()
        _note_end(folder, session)
    counts = store.status_counts(name)
    return Summary(name, folder, counts, store.failures(name), watch.done, time.monotonic() - start, watch.given_up)


class _Watch:
    """Keeps points as they come, and gives up on a codec that fails hard again and again."""

    def __init__(self, store: Store, session: Mapping[str, Any], progress: Progress) -> None:
        self._store = store
        self._session = session
        self._progress = progress
        self._in_a_row: Counter[str] = Counter()
        self.given_up: list[str] = []
        self.done = 0

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
            points = tuple(Point(c.key(q, stand_ins[place]), q, ()) for q in c.qualities)
            job = Job(by_place[place], stand_ins[place], c.info.id, c.label, options_json(c.options), c.identity,
                      c.device, points)  # fmt: skip
            rows += [(job, {"key": p.key, "status": why.status, "reason": why.reason}) for p in points]
    store.append(rows, {})


def _write_run(
    store: Store, name: str, plan_text: str, resolved: Resolved, registry: Registry, session: Mapping[str, Any]
) -> Path:
    """Write plan, settings and environment of the run beside its report; sessions before this one stay listed."""
    folder = store.workspace / name
    path = folder / "environment.json"
    record = {**session, "start": datetime.now(UTC).isoformat(timespec="seconds"), **environment.describe(registry)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = json.loads(path.read_text())["sessions"] if path.exists() else []
        (folder / "plan.toml").write_text(plan_text, encoding="utf-8")
        (folder / "settings.json").write_text(json.dumps(_settings(resolved), indent=1), encoding="utf-8")
        path.write_text(json.dumps({"sessions": [*earlier, record]}, indent=1), encoding="utf-8")
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"cannot write {folder}: {error}; make room, or choose another --workspace") from error
    return folder


def _settings(resolved: Resolved) -> dict[str, Any]:
    return {
        "metrics": [metric.id for metric in resolved.metrics],
        "datasets": {
            d.id: {"title": d.title, "version": d.version, "source": d.source, "notes": list(d.notes)}
            for d in resolved.datasets
        },
        "codecs": {
            c.label: {
                "id": c.info.id, "title": c.info.title, "identity": c.identity, "device": c.device,
                "options": json.loads(options_json(c.options)), "qualities": c.qualities,
                "axis": None if c.axis is None else {"name": c.axis.name, "unit": c.axis.unit},
            }
            for c in resolved.configurations
        },
    }  # fmt: skip


def _note_end(folder: Path, session: Mapping[str, Any]) -> None:
    path = folder / "environment.json"
    record = json.loads(path.read_text())
    record["sessions"][-1]["end"] = datetime.now(UTC).isoformat(timespec="seconds")
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


