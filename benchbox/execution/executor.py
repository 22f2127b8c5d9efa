"""The contract of an executor: it takes jobs and calls back with each finished point, whatever happens to workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchbox.plan import Job

OnPoints = Callable[[Job, Sequence[Mapping[str, Any]]], None]
"""Called in the parent with a job and points of it that are finished, as soon as they are known. What the callback
keeps is safe once it returns: only then is the worker's own record of it deleted."""


@dataclass(frozen=True)
class PointLimits:
    """What one operating point may cost: wall `seconds`, and `memory` in bytes of the worker and its children."""

    seconds: float
    memory: int


class Executor(Protocol):
    """Runs jobs, many at once."""

    workers: int
    threads: int

    def run(self, jobs: Iterable[Job], on_points: OnPoints, wanted: Callable[[Job], bool]) -> None:
        """Run every job to its end, but for those no longer `wanted` when their turn comes. A worker that dies, hangs
        or outgrows its limits costs the point it was at."""
