"""Runs jobs on a dask cluster, for when one machine is too small. The workspace must be on storage that every machine
shares. Each worker runs its jobs in processes of its own, under the same limits as a local run.

The run's process says which worker has which job, and dask carries it there. A worker takes part once it was found to
have what the run needs (`benchbox.execution.admission`). What is lost with a worker is given to others; a point that
had a worker for itself when that was lost is blamed in the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from benchbox.errors import BenchboxError, StoreError, one_line
from benchbox.execution.admission import lacking, needs_of
from benchbox.execution.cluster import Cluster
from benchbox.execution.dask_worker import measure, take_part
from benchbox.execution.executor import Admit, OnPoints
from benchbox.execution.handing_out import AHEAD, Given, Member, Work
from benchbox.execution.spool import TOKEN, Tail, left_behind
from benchbox.files import what_to_do
from benchbox.fork_server import THREADS
from benchbox.plan import Job, Resolved
from benchbox.plugin_file import PluginFile, as_values
from benchbox.store import Workspace

TICK = 0.25
"""Seconds between two looks at what is to be done, where nothing is told."""

LAST_SECONDS = 1.0
"""Seconds that workers have to end their jobs where the run ends before them."""

GRACE = 30.0
"""Seconds that a run waits for another worker where all that are there cannot take part."""


class DaskExecutor:
    """Runs the jobs of a plan on a `cluster`. The plugin files `files` must be at the same paths everywhere.

    Attributes:
        workers: the most jobs that ran at once; before any worker takes part, as many as those that are there could.
        hosts: host -> description of each machine that takes part or did; see `benchbox.machine.describe`.
    """

    threads = THREADS

    def __init__(
        self, cluster: Cluster, resolved: Resolved, workspace: Workspace, files: Sequence[PluginFile] = (),
        grace: float = GRACE,
    ) -> None:  # fmt: skip
        self.hosts: dict[str, Mapping[str, Any]] = {}
        self._cluster = cluster
        self._resolved = resolved
        self._spool = workspace.spool
        self._grace = grace
        limits = resolved.plan.limits
        self._settings = {
            "streams": str(workspace.streams.folder), "spool": str(workspace.spool), "plugins": as_values(files),
            "seconds": limits.point_seconds, "memory": limits.memory_mib << 20 if limits.memory_mib else None,
        }  # fmt: skip
        self._asked: dict[str, Any] = {}  # address -> future of its `take_part`, which keeps its processes there
        self._anyone: Any = None  # future of a `take_part` that any worker may run: a cluster may start one for it
        self._members: dict[str, Member] = {}
        self._most = 0
        self._refused: set[str] = set()
        self._said: set[str] = set()
        self._waits_for = ""
        self._useless_since = time.monotonic()

    @property
    def workers(self) -> int:
        return self._most or sum(self._cluster.workers().values())

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Admit = lambda job: job) -> None:
        """Run every job; see `benchbox.execution.Executor`. Waits for workers while there are none.

        Raises:
            StoreError: the workspace cannot be written.
            BenchboxError: the scheduler is gone, or no worker that is there can take part.
        """
        jobs = list(jobs)
        work = Work(jobs, admit)
        with self._token() as token:
            needs = needs_of(self._resolved, jobs, token)
            try:
                while work.waiting() is not None or self._given():
                    self._meet(needs, work, on_points)
                    self._hand_out(work)
                    self._say_what_it_waits_for(work)
                    for told in self._cluster.told(TICK):
                        self._take(told, work, on_points)
            finally:
                self._withdraw(on_points)

    @contextmanager
    def _token(self) -> Iterator[Any]:
        """A file in the workspace by which a worker sees that it shares it."""
        token = self._spool / f"{TOKEN}{self._cluster.run}"
        try:
            self._spool.mkdir(parents=True, exist_ok=True)
            token.write_text(token.name, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot write in {self._spool}: {error.strerror}; {what_to_do(error)}") from error
        try:
            yield token
        finally:
            with suppress(OSError):
                token.unlink()

    def _given(self) -> list[tuple[Member, Given]]:
        return [(member, given) for member in self._members.values() for given in member.given.values()]

    def _meet(self, needs: Mapping[str, Any], work: Work, on_points: OnPoints) -> None:
        """Ask workers that have come, and take back the jobs of those that have gone."""
        present = self._cluster.workers()
        asked = {"needs": needs, "settings": self._settings}
        for address in present:
            if address not in self._asked:
                self._asked[address] = self._cluster.submit(take_part, asked, address)
        for address in [*self._asked]:
            if address not in present:
                del self._asked[address]
                self._refused.discard(address)
                if (member := self._members.pop(address, None)) is not None:
                    self._lose(member, work, on_points)
        if not present and self._anyone is None:
            self._anyone = self._cluster.submit(take_part, asked, None)
        if present and self._anyone is not None:
            self._cluster.withdraw(self._anyone)
            self._anyone = None

    def _hand_out(self, work: Work) -> None:
        """Give each worker what it can do: first one job for each that it runs at once, then those ahead."""
        for ahead in range(1, AHEAD + 1):
            for member in self._members.values():
                while member.free(ahead) and (task := work.next_task(member)):
                    asked = {"jobs": [{"name": given.name, "job": given.job.as_json()} for given in task]}
                    future = self._cluster.submit(measure, asked, member.address, task[0].gpu)
                    for given in task:
                        given.future = future
                        member.given[given.name] = given

    def _take(self, told: Mapping[str, Any], work: Work, on_points: OnPoints) -> None:
        """Take in what a task tells."""
        if told["kind"] == "worker":
            self._take_verdict(told)
            return
        if told["kind"] == "done":
            self._take_end(told["future"], work, on_points)
            return
        found = next(((member, given) for member, given in self._given() if given.name == told["job"]), None)
        if found is None:  # of a worker that was set aside
            return
        member, given = found
        if told["kind"] == "points":
            if lack := lacking(self._resolved, given.job, told["points"]):
                self._set_aside(member, lack, work, on_points)
                return
            given.told += len(told["points"])
            given.done |= {point["key"] for point in told["points"] if not point.get("goes_on")}
            on_points(given.job, told["points"])
        elif told["kind"] == "stop":
            self._set_aside(member, told["reason"], work, on_points)
        else:
            del member.given[given.name]
            work.took(given, told["seconds"])
            if told["points"] != given.told:
                self._take_in(given, on_points)
            for k in range(told["files"]):
                Tail(self._spool / f"{given.name}-{k}.jsonl").remove()

    def _take_verdict(self, told: Mapping[str, Any]) -> None:
        """A worker says what it is, and what it lacks."""
        address = told["address"]
        if address not in self._asked or address in self._members or address in self._refused:
            return
        if told["faults"]:
            self._refuse(address, told["host"], "; ".join(told["faults"]))
            return
        self.hosts[told["host"]] = told["about"]
        self._members[address] = Member(address, told["host"], told["slots"], told["gpus"])
        self._most = max(self._most, sum(member.slots for member in self._members.values()))

    def _take_end(self, future: Any, work: Work, on_points: OnPoints) -> None:
        """A task is over, of which nothing is known if it did not tell before."""
        if future.status == "cancelled" and any(given.future is future for _, given in self._given()):
            raise self._cluster.gone()  # one that is another now does not know of the jobs
        if future.status != "error":
            return
        reason = f"{one_line(future.exception())}; install the same benchbox on every machine"
        for address, asked in self._asked.items():
            if asked is future:
                self._refuse(address, "", reason)
        for member, given in self._given():
            if given.future is future:
                self._set_aside(member, reason, work, on_points)
                return

    def _refuse(self, address: str, host: str, reason: str) -> None:
        """Let a worker take no part, and say so once."""
        self._asked[address] = None
        line = f"{f'on {host} ' if host else ''}cannot take part: {one_line(reason, 2000)}"
        if line not in self._said:
            self._cluster.say(f"worker {address} {line}")
        self._said.add(line)
        self._refused.add(address)

    def _set_aside(self, member: Member, reason: str, work: Work, on_points: OnPoints) -> None:
        """Let a worker take no part any more; its jobs go to others."""
        self._members.pop(member.address)
        self._refuse(member.address, member.host, reason)
        for given in member.given.values():
            self._take_in(given, on_points)
            work.back(given)

    def _lose(self, member: Member, work: Work, on_points: OnPoints) -> None:
        """A worker is gone."""
        for given in member.given.values():
            self._cluster.withdraw(given.future)
            self._take_in(given, on_points)
            blamed = work.lost(given)
            if blamed is not None and blamed.job.points:
                reason = f"{blamed.losses} workers were lost while they measured it, the last one {member}"
                event = {"event": "point", "key": blamed.job.points[0].key, "status": "crashed", "reason": reason}
                on_points(blamed.job, [event])

    def _take_in(self, given: Given, on_points: OnPoints) -> None:
        """Take in the points that a job's worker wrote into the workspace and did not tell."""
        for left in left_behind(self._spool, given.name):
            points = [point for point in left.points if point["key"] not in given.done]
            if points and left.job is not None and not lacking(self._resolved, left.job, points):
                given.done |= {point["key"] for point in points}
                on_points(left.job, points)
            left.files.remove()

    def _withdraw(self, on_points: OnPoints) -> None:
        """Where the run ends before its jobs: let the workers end them, and keep what they finished."""
        given = [given for _, given in self._given()]
        if not given:
            return
        self._asked, self._members, self._anyone = {}, {}, None
        time.sleep(LAST_SECONDS)
        for one in given:
            one.future = None
            self._take_in(one, on_points)

    def _say_what_it_waits_for(self, work: Work) -> None:
        """Say it, once, where nothing can go on; give up where workers are there and none can take part."""
        waits_for = ""
        first = None if self._given() else work.waiting()
        if not self._asked:
            waits_for = "no worker yet; waiting for one"
        elif first is not None and self._members and first.gpu:
            waits_for = (f"{first.job.label} runs on CUDA, and no worker offers a GPU; waiting for one that is started "
                         'with --resources "GPU=1"')
        if waits_for and waits_for != self._waits_for:
            self._cluster.say(f"dask: {waits_for} (Ctrl-C stops)")
        self._waits_for = waits_for
        if self._asked.keys() - self._refused or not self._asked:
            self._useless_since = time.monotonic()
        elif time.monotonic() - self._useless_since > self._grace:
            raise BenchboxError(f"none of the {len(self._asked)} workers of the dask cluster can take part, as said "
                                "above; mend them or start others, and run again")  # fmt: skip
