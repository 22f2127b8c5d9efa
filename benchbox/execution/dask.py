"""Runs jobs on a dask cluster, for when one machine is too small. The workspace must be on storage that every machine
shares. Each task runs its job in a process of its own, under the same limits as a local run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any

from benchbox.errors import CodecUnavailableError, UsageError
from benchbox.execution.executor import Admit, OnPoints, PointLimits
from benchbox.execution.isolated import run_task, task_text
from benchbox.plan import Job
from benchbox.plugin_file import PluginFile
from benchbox.store import Streams


class DaskExecutor:
    """Runs jobs on the dask scheduler at `address`; ``"local"`` starts a cluster of processes on this machine. The
    plugin files `files` must be at the same paths everywhere."""

    threads = 1

    def __init__(
        self, address: str, limits: PointLimits, streams: Streams, files: Sequence[PluginFile] = (),
        timeout: float = 10,
    ) -> None:  # fmt: skip
        self.workers = 0
        self._address = address
        self._limits = limits
        self._streams = streams
        self._files = files
        self._timeout = timeout

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Admit = lambda job: job) -> None:
        """Run every job; see `benchbox.execution.Executor`. Points arrive job by job.

        Raises:
            UsageError: the scheduler cannot be reached.
            StoreError: a machine cannot write streams to the workspace, or lacks a plugin file.
        """
        remaining = iter(jobs)
        with self._client() as client:
            self.workers = sum(client.nthreads().values())
            pool = client.get_executor(pure=False)
            active: dict[Future[list[dict[str, Any]]], Job] = {}
            while True:
                for next_job in islice(remaining, max(0, 2 * self.workers - len(active))):
                    if (job := admit(next_job)) is not None:
                        active[pool.submit(run_task, task_text(job, self._streams, self._limits, self._files))] = job
                if not active:
                    return
                for future in wait(active, return_when=FIRST_COMPLETED).done:
                    on_points(active.pop(future), future.result())

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise CodecUnavailableError('dask is not installed; pip install "benchbox[dask]"') from None
        if self._address == "local":
            with LocalCluster(dashboard_address=None) as cluster, Client(cluster) as client:
                yield client
            return
        try:
            client = Client(self._address, timeout=self._timeout)
        except (OSError, ValueError) as error:
            raise UsageError(f"no dask scheduler answers at {self._address}: {error}") from error
        with client:
            yield client
