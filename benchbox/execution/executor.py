"""The contract of an executor: it takes jobs and calls back with each finished point, whatever happens to workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchbox.plan import Job

OnPoints = Callable[[Job, Sequence[Mapping[str, Any]]], None]
"""Called in the parent with a job and its newly finished points. The worker's own record of these points is deleted
only after the callback has returned, so no point is lost in between."""


@dataclass(frozen=True)
class PointLimits:
    """Limits of one operating point: wall `seconds`, and `memory` in bytes of the worker and its children."""

    seconds: float
    memory: int


Admit = Callable[[Job], Job | None]
"""Asked for each job when its turn comes: the job as it is to be run, None where it is no longer wanted."""


class Executor(Protocol):
    """Runs jobs, several at once. `workers` is the number of processes, `threads` that of each process, and `hosts`
    describes the other machines that measure, by name; see `benchbox.machine.describe`."""

    @property
    def workers(self) -> int: ...

    @property
    def threads(self) -> int: ...

    @property
    def hosts(self) -> Mapping[str, Mapping[str, Any]]: ...

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Admit) -> None:
        """Run every job to its end, as `admit` has it. A worker that dies, hangs or exceeds its limits fails only the
        point it was at."""
