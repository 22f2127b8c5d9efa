"""An executor of one process that outlives its jobs: what a thread of a cluster's worker runs jobs in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchbox.execution.executor import Admit, OnPoints, PointLimits
from benchbox.execution.local import Slot, work
from benchbox.fork_server import ForkServer
from benchbox.plan import Job


class KeptExecutor:
    """Runs one job at a time, under the limits of a local run, in a process that keeps plugins, codecs and picture
    loaded for the next job.

    The spool files of a job called NAME are ``NAME-0``, ``NAME-1`` ..., and stay when it is done: whoever has received
    the points deletes them.

    Args:
        limits: of each point.
        settings: those of `benchbox.execution.server.serve`.
        spool: the folder of spool files.
        server: forks the process.
    """

    def __init__(self, limits: PointLimits, settings: Mapping[str, Any], spool: Path, server: ForkServer) -> None:
        self._slot = Slot(server, settings, spool, limits, keeps=True)

    def run(self, job: Job, name: str, on_points: OnPoints, admit: Admit, look: Callable[[], None]) -> int:
        """Run a job to its end; returns the number of its spool files. `look` is called many times a second; what it
        raises ends the job.

        Raises:
            StoreError: nothing more can be kept.
            BenchboxError: no worker process starts.
        """
        names = itertools.count()
        self._slot.names = lambda: f"{name}-{next(names)}"
        try:
            work([self._slot], [job], on_points, admit, look)
        except BaseException:
            self.close()
            raise
        return next(names)

    def close(self) -> None:
        """End its process and all that it started."""
        self._slot.close()
        self._slot.active = None
