"""A dask cluster in this process, for tests: a scheduler, and workers that come when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchbox.execution.cluster import Cluster


class Here:
    """The cluster: `said` is what benchbox said of it."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self.said: list[str] = []

    @contextmanager
    def open(self) -> Iterator[Cluster]:
        """benchbox's connection to it."""
        with Cluster(self.cluster.scheduler_address, self.said.append, timeout=5) as cluster:
            yield cluster

    def replace_worker(self) -> None:
        """Start a second worker, and end the first one at once."""
        self.cluster.scale(2)
        for worker in list(self.cluster.workers.values())[:1]:
            asyncio.run_coroutine_threadsafe(worker.close(), self.cluster.loop.asyncio_loop).result(20)


@pytest.fixture
def dask_here() -> Iterator[Callable[..., Here]]:
    """Makes a cluster with `n_workers` workers of two threads each; `settings` go to dask's LocalCluster."""
    distributed: Any = pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')
    made = []

    def make(n_workers: int = 1, **settings: Any) -> Here:
        cluster = distributed.LocalCluster(
            n_workers=n_workers, threads_per_worker=2, processes=False, dashboard_address=None, **settings
        )
        made.append(cluster)
        return Here(cluster)

    yield make
    for cluster in made:
        cluster.close(timeout=5)
