"""Many tiny jobs in one run, with the memory, open files and threads of its processes watched."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from torture_runs import Run

from benchbox.image import write_png

CODECS = {"jpeg": "qualities = [50]\n", "webp": "qualities = [50]\n", "png": ""}
GROWTH, HANDLES = 48 << 20, 8
"""Most bytes and open files or threads by which a process may grow from the second fifth of a run to its last: within
the first fifth libraries are loaded and pools filled."""


@dataclasses.dataclass
class Watched:
    """One process over a run: (seconds, bytes resident, open files, threads) at each look."""

    name: str
    looks: list[tuple[float, int, int, int]] = dataclasses.field(default_factory=list)

    def spans(self, total: float) -> list[tuple[int, int, int]]:
        """The largest (bytes, open files, threads) within each fifth of the run's `total` seconds."""
        fifths: list[list[tuple[int, int, int]]] = [[] for _ in range(5)]
        for moment, *numbers in self.looks:
            fifths[min(4, int(5 * moment / total))].append((numbers[0], numbers[1], numbers[2]))
        return [tuple(max(column) for column in zip(*fifth, strict=True)) for fifth in fifths if fifth]  # type: ignore[misc]


def attack(count: int) -> tuple[list[str], list[str]]:
    """Run `count` jobs of one point each; returns a line for each process, and what is wrong."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        run = _plan(Path(name), -(-count // len(CODECS)))
        process = subprocess.Popen(run.command(run.folder / "runs"), cwd=run.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        start, watched = time.monotonic(), dict[int, Watched]()
        while process.poll() is None:
            for pid, place in _family(process.pid).items():
                _look(watched, pid, place, time.monotonic() - start)
            time.sleep(0.5)
        total = time.monotonic() - start
        assert process.stdout is not None
        said = process.stdout.read().strip()
    lines, wrong = [f"{said}; {total:.0f} s"], [] if process.returncode == 0 else [f"the run ended: {said}"]
    for one in watched.values():
        spans = one.spans(total)
        if len(spans) < 4:
            continue
        first, last = spans[1], spans[-1]
        lines.append(f"{one.name:10}" + "  ".join(f"{size >> 20:4d} MiB {files:3d} files {threads:2d} threads"
                                                   for size, files, threads in (spans[0], first, last)))
        if last[0] > first[0] + GROWTH or last[1] > first[1] + HANDLES or last[2] > first[2] + HANDLES:
            wrong.append(f"{one.name} grows: {first} to {last} (bytes, open files, threads)")
    return lines, wrong


def _plan(folder: Path, pictures: int) -> Run:
    (folder / "pictures").mkdir()
    chance = np.random.default_rng(3)
    for number in range(pictures):
        write_png(folder / "pictures" / f"{number}.png", chance.integers(0, 256, (16, 16, 3)).astype(np.uint8))
    codecs = "".join(f'[[codec]]\nid = "{codec}"\n{qualities}' for codec, qualities in CODECS.items())
    (folder / "plan.toml").write_text(f'name = "j"\ndataset = "folder:pictures"\nmetrics = ["psnr"]\n{codecs}')
    return Run(folder)


def _family(pid: int) -> dict[int, str]:
    """Process id -> place below the run's own process ``0``: its first child is ``0.1``."""
    places = {pid: "0"}
    with contextlib.suppress(psutil.Error):
        parents = {child.pid: child.ppid() for child in psutil.Process(pid).children(recursive=True)}
        waiting = [pid]
        while waiting:
            above = waiting.pop()
            below = sorted(child for child, parent in parents.items() if parent == above)
            places |= {child: f"{places[above]}.{number}" for number, child in enumerate(below, 1)}
            waiting += below
    return places


def _look(watched: dict[int, Watched], pid: int, place: str, moment: float) -> None:
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        with process.oneshot():
            numbers = process.memory_info().rss, process.num_fds(), process.num_threads()
        watched.setdefault(pid, Watched(place)).looks.append((moment, *numbers))
