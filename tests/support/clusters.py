"""A dask cluster in this process, for tests: a scheduler, and workers that come when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchbox.execution.cluster import Cluster

LOUD = '''
"""A codec that prints a lot, where it is imported and at each call."""
import os, time, zlib
import numpy as np
from benchbox import Capabilities, Codec, CodecInfo, QualityAxis, hookimpl

print("hello from an import", flush=True)

class Loud(Codec):
    def encode(self, image, quality):
        print("encoding " * 10000, flush=True)
        os.write(1, b'{"kind": "end"}\\n\\n' * 100)
        if quality == 2: os.kill(os.getpid(), 9)
        if quality >= 7: time.sleep(0.3)
        return np.array(image.shape, "<u4").tobytes() + zlib.compress(image.tobytes(), int(quality))
    def decode(self, data):
        return np.frombuffer(zlib.decompress(data[12:]), np.uint8).reshape(np.frombuffer(data[:12], "<u4"))

class Info(CodecInfo):
    def identity(self, options): return "loud 1"
    def axis(self, options): return QualityAxis("level", (1, 2, 3), 1, 9)
    def open(self, options, device): return Loud()

@hookimpl
def benchbox_codecs():
    return [Info(id="loud", title="loud", capabilities=Capabilities(lossless=True))]
'''


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    """A plugin file whose codec prints, and kills its worker at quality 2."""
    file = tmp_path / "loud.py"
    file.write_text(LOUD)
    return file


def gated(loud: Path) -> Callable[[int], None]:
    """Have the plugin's codec wait at each quality from 7 on; returns what lets it go on at one of them."""
    text, sleep = loud.read_text(), "if quality >= 7: time.sleep(0.3)"
    assert sleep in text
    gate = str(loud.parent / "gate-")
    loud.write_text(text.replace(sleep, f"while quality >= 7 and not os.path.exists(f'{gate}{{quality:g}}'): "
                                        "time.sleep(0.05)"))  # fmt: skip
    return lambda quality: Path(f"{gate}{quality}").touch()


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
    """Makes a cluster with `n_workers` workers, of two threads each if not `settings`, which dask's LocalCluster gets,
    say otherwise."""
    distributed: Any = pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')
    made = []

    def make(n_workers: int = 1, **settings: Any) -> Here:
        cluster = distributed.LocalCluster(
            n_workers=n_workers, processes=False, dashboard_address=None, **{"threads_per_worker": 2, **settings}
        )
        made.append(cluster)
        return Here(cluster)

    yield make
    for cluster in made:
        cluster.close(timeout=5)
