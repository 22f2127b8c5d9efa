"""A job at work: which point it is at, since when, in which process, and whom to blame if that process ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from benchbox import machine
from benchbox.errors import StoreError
from benchbox.execution.executor import OnPoints, PointLimits
from benchbox.execution.spool import Tail
from benchbox.execution.worker_process import Ending, WorkerProcess
from benchbox.plan import Job, Point
from benchbox.store import UNSCORED


class Active:
    """A job that was given to a worker process, with its spool file `path`, which it `keeps` when it is done."""

    def __init__(self, job: Job, path: Path, process: WorkerProcess, keeps: bool = False) -> None:
        self.job = job
        self._keeps = keeps
        self._process = process
        self._tail = Tail(path)
        self._done: set[str] = set()
        self._at: str | None = None
        self._start: Mapping[str, Any] = {}
        self._scoring: Mapping[str, Any] | None = None
        self._since = time.monotonic()
        self._worker: psutil.Process | None = None
        self._verdict: tuple[str, str] | None = None  # status, reason
        self._oom_kills = machine.oom_kills()

    @property
    def verdict(self) -> str:
        """Why its worker was killed; "" if it was not."""
        return self._verdict[1] if self._verdict is not None else ""

    @property
    def begun(self) -> bool:
        """True once its worker has reported something."""
        return bool(self._start)

    def discard(self) -> Job:
        """The job, to be given to another worker since this one never began it."""
        self._tail.remove()
        return self.job

    def read(self, on_points: OnPoints) -> None:
        """Take in what the worker has written."""
        points = []
        stop = None
        for event in self._tail.events():
            self._since = time.monotonic()
            self._scoring = event if event["event"] == "scoring" else None
            if event["event"] == "start":
                self._at, self._start = event["key"], event
                self._know(event["pid"])
            elif event["event"] == "point":
                self._done.add(event["key"])
                self._at = None
                points.append(event)
            elif event["event"] == "stop":
                stop = event["reason"]
        if points:
            on_points(self.job, points)
        if stop is not None:
            raise StoreError(stop)

    def _know(self, pid: int) -> None:
        if self._worker is None:
            try:
                self._worker = psutil.Process(pid)
            except psutil.NoSuchProcess:
                return

    def enforce(self, limits: PointLimits, start_seconds: float, helpers: int) -> None:
        """Kill the worker if it has gone beyond the limits, or does not get to its first point within
        `start_seconds`. What it started holds `helpers` bytes."""
        if self._verdict is not None:
            return
        seconds = time.monotonic() - self._since
        allowed = start_seconds if self._at is None else limits.seconds
        if seconds > allowed:
            self._kill("timeout", f"not finished after {allowed:g} s")
        elif self._at is not None and (used := self._memory() + helpers) > limits.memory:
            self._kill("memory", f"used {used >> 20} MiB of the {limits.memory >> 20} MiB allowed")

    def _memory(self) -> int:
        """Bytes the worker holds."""
        try:
            return int(self._worker.memory_info().rss) if self._worker is not None else 0
        except psutil.Error:
            return 0

    def _kill(self, status: str, reason: str) -> None:
        self._verdict = status, reason
        self._process.kill()

    def finish(self, on_points: OnPoints, ending: Ending | None, killed: set[str]) -> list[Job]:
        """Once the worker is done with the job, or has come to its `ending`: blame what it was at, and give back what
        is left, one point to a job. A point whose worker was killed, by nobody here, is left and not blamed the first
        time; `killed` holds the keys of such points. Its record stays, for `forget`."""
        self.read(on_points)
        again = []
        if self._at is not None and self._at not in killed and self._was_killed(ending):
            killed.add(self._at)
            self._at = None
        elif self._at is None and self._left() and len(self.job.points) == 1 and (ending or self._tail.damaged):
            self._at = self._left()[0].key  # it had the process to itself, and gave nothing that can be read
        if self._at is not None:
            status, reason = self._verdict or self._ended(ending)
            if status == "timeout" and ending is not None and ending.said:
                reason += f"; it last printed: {ending.said[:200]}"
            event, point = self._blame(status, reason)
            on_points(self.job, [event])
            self._done.add(self._at)
            again = [self.job.only([point])] if point is not None else []
        return again + [self.job.only([point]) for point in self._left()]

    def forget(self) -> None:
        """Delete its record, once its points are kept."""
        if not self._keeps:
            self._tail.remove()

    def _was_killed(self, ending: Ending | None) -> bool:
        """Whether a process other than this one killed the worker; its point is then not to blame."""
        killed = ending is not None and ending.status in (None, -signal.SIGKILL)
        return killed and self._verdict is None and machine.oom_kills() == self._oom_kills

    def _ended(self, ending: Ending | None) -> tuple[str, str]:
        """Status and reason of a point whose worker ended though nobody here killed it."""
        if ending is not None and ending.status in (None, -signal.SIGKILL) and machine.oom_kills() > self._oom_kills:
            return "memory", ("the system ended the worker for want of memory; give it more, or run with fewer "
                              "--workers")
        return "crashed", "the worker died" + (f" ({ending})" if ending else "")

    def _blame(self, status: str, reason: str) -> tuple[dict[str, Any], Point | None]:
        """The event of the point that the worker was at, and what is left to do of that point.

        A metric that ended the process costs its own score. The point was measured, its stream is kept, and the
        metrics after it have their turn.
        """
        point = next(point for point in self.job.points if point.key == self._at)
        if self._scoring is None and point.stream is not None and self.job.timing is None:
            why = f"{UNSCORED}decoding the kept stream: {reason}"
            scores = {name: [version, None, why] for name, version in self._start.get("unscored", {}).items()}
            return {"event": "point", "key": point.key, "status": "ok", "reason": "", "rescored": True,
                    "scores": scores, "died": status}, None  # fmt: skip
        if self._scoring is None:
            return {"event": "point", "key": point.key, "status": status, "reason": reason}, None
        row, metric = self._scoring["row"], self._scoring["metric"]
        score = [self._scoring["version"], None, f"{UNSCORED}{metric}: {reason}"]
        asked = point.metrics if row["rescored"] else (*point.scored, *point.metrics)
        turn = asked.index(metric) + 1
        rest, stream = asked[turn:], row.get("stream_sha256") or point.stream
        event = {**row, "event": "point", "key": point.key, "scores": {**row["scores"], metric: score},
                 "goes_on": bool(rest), "died_scoring": metric}  # fmt: skip
        return event, Point(point.key, point.quality, rest, stream, asked[:turn]) if rest else None

    def _left(self) -> list[Point]:
        return [point for point in self.job.points if point.key not in self._done]
