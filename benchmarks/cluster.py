"""What one machine must bear when many measure: memory, store, transactions, merging, report, from measured constants.

``python benchmarks/cluster.py --measure`` measures the constants here, on synthetic points like those of a JPEG sweep;
``python benchmarks/cluster.py`` computes from `HERE`, for so many ``--workers`` and ``--points``, what docs/cluster.md
shows. All of it grows with the points, and only measuring falls with the workers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import psutil
from machine import machine
from scale_store import fill

from benchbox.dataset import Dataset, Sample
from benchbox.image import Image
from benchbox.plan import Job, Resolved, make_plan, resolve
from benchbox.registry import load
from benchbox.results import merge
from benchbox.session.digests import digests
from benchbox.session.progress import Silent
from benchbox.session.todo import Todo, list_missing, register
from benchbox.store import EmptyStore, Workspace, WritableStore

QUALITIES = 10


@dataclass(frozen=True)
class Constants:
    """What a point costs the machine that keeps the results, in processor seconds and bytes, measured at `where`."""

    where: str
    list_bytes: float
    list_s: float
    store_bytes: float
    append_s: float
    merge_s: float
    report_bytes: float = 1.92 * 2**30 / 1e6
    report_s: float = 40.7 / 1e6
    """Of a million points, on another machine; see benchmarks/README.md."""
    stream_bytes: float = 40_000
    dask_task_s: float = 0.010
    """Of a task, which is one job or, where jobs are short, some 0.5 s of them; measured with the dask executor."""


HERE = Constants(
    where="Intel Xeon, 2 cores, 2026-11-29, other programs keeping both busy", list_bytes=502, list_s=25.8e-6,
    store_bytes=1164, append_s=205e-6, merge_s=101e-6,
)  # fmt: skip
"""What ``--measure`` printed, of 40,000 points."""


def paper(constants: Constants, workers: int, points: int, point_s: float) -> str:
    """The table for a run of `points`, each of which keeps a worker busy for `point_s`."""
    c, jobs = constants, points / QUALITIES
    measuring = points * point_s / workers
    rows = [
        ("measuring, if nothing else were a limit", f"{_time(measuring)} ({workers / point_s:,.0f} points/s)"),
        ("listing what is missing, once a start", f"{_time(points * c.list_s)}, {points * c.list_bytes / 1e9:.1f} GB"),
        ("transactions, one a job of ten points", f"{jobs:,.0f}, {_time(points * c.append_s)} "
                                                  f"({1 / c.append_s:,.0f} points/s)"),
        ("dask's scheduler and client, a task each job", _time(jobs * c.dask_task_s)),
        ("store.sqlite", f"{points * c.store_bytes / 1e9:.1f} GB"),
        ("streams, of 40 KB", f"{points * c.stream_bytes / 1e9:,.0f} GB in {points:,} files"),
        ("merging the shards", _time(points * c.merge_s)),
        ("a report", f"{_time(points * c.report_s)}, {points * c.report_bytes / 1e9:.1f} GB"),
    ]  # fmt: skip
    head = f"{workers:,} workers, {points:,} points of {point_s:g} s"
    width = max(len(name) for name, _ in rows)
    return "\n".join([head, *(f"  {name.ljust(width)}  {value}" for name, value in rows)])


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class Known(Sample):
    """A picture whose digest is known; it is never read."""

    def __init__(self, number: int) -> None:
        self.id = f"p{number:07d}.png"

    def load(self) -> Image:
        raise NotImplementedError

    def sha256(self) -> str:
        return hashlib.sha256(self.id.encode()).hexdigest()


def measured(points: int) -> Constants:
    """The constants of this machine, in processor seconds, from so many points."""
    with tempfile.TemporaryDirectory() as folder:
        todo, list_s, list_bytes = _listing(points)
        append_s, store_bytes = _appending(Path(folder) / "append", todo)
        fill(Path(folder) / "filled", 4, QUALITIES, points // (4 * QUALITIES))
        start = time.process_time()
        merge([Path(folder) / "filled" / "runs"], Workspace.at(Path(folder) / "merged"), lambda line: None)
        merge_s = (time.process_time() - start) / points
    return Constants(machine(), list_bytes, list_s, store_bytes, append_s, merge_s)


def _listing(points: int) -> tuple[Todo, float, float]:
    """A run of so many points, and what listing a point costs in seconds and bytes."""
    dataset = Dataset("known", "Known", tuple(Known(k) for k in range(points // QUALITIES)))
    plugins = load()
    asked = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg", "qualities": list(range(5, 95, 9))}]}
    resolved: Resolved = replace(resolve(make_plan(asked, "plan"), plugins, Path.cwd()), datasets=(dataset,))
    before, start = psutil.Process().memory_info().rss, time.process_time()
    with EmptyStore(Workspace.at("nowhere")) as store:
        todo = list_missing(resolved, digests(resolved, store, Silent()), store)
    seconds = (time.process_time() - start) / points
    return todo, seconds, (psutil.Process().memory_info().rss - before) / points


def _appending(folder: Path, todo: Todo) -> tuple[float, float]:
    """Seconds to store a point, where each job is a transaction, and bytes that it takes in the store."""
    session = {"id": "20260101T000000-000000", "host": "nowhere", "threads": 1, "workers": 1}
    with WritableStore(Workspace.at(folder)) as store:
        register(todo.resolved, todo.digests, store)
        start = time.process_time()
        for job in todo.jobs:
            store.append(list(_events(job)), session)
        seconds = (time.process_time() - start) / todo.points
    return seconds, Workspace.at(folder).database.stat().st_size / todo.points


def _events(job: Job) -> Iterator[tuple[Job, dict[str, Any]]]:
    for point in job.points:
        yield job, {
            "event": "point", "key": point.key, "status": "ok", "reason": "", "width": 768, "height": 512,
            "channels": 3, "bit_depth": 8, "bytes": 40_000, "exact": False, "stream_sha256": point.key[::-1],
            "pixels_sha256": point.key, "encode_s": 0.01, "decode_s": 0.01, "encode_cpu_s": 0.01, "decode_cpu_s": 0.01,
            "source_sha256": point.key, "scores": {"psnr": ["1", 35.0, ""], "ms-ssim": ["1", 0.98, ""]},
        }  # fmt: skip


def main() -> None:
    """Print the table, or the constants of this machine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="measure the constants here first")
    for name, kind, value in (("workers", int, 1000), ("points", int, 10_000_000), ("point-s", float, 0.5)):
        parser.add_argument(f"--{name}", type=kind, default=value)
    asked = parser.parse_args()
    constants = measured(40_000) if asked.measure else HERE
    if asked.measure:
        print(json.dumps({field.name: getattr(constants, field.name) for field in fields(constants)}, indent=1))
    print(paper(constants, asked.workers, asked.points, asked.point_s))


if __name__ == "__main__":
    main()
