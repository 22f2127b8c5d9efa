"""Operating points per second, against CompressAI's own benchmark and the physical limit. A tool to run by hand.

    python benchmarks/peer.py                     once: installs the peer
    python benchmarks/throughput.py [FOLDER] [--repeats N] [--wait SECONDS] [--peer-setting JOBS,THREADS]

The work: JPEG at ten qualities over every picture of FOLDER (default: Kodak, if it is next to the repository), scored
with PSNR and MS-SSIM. The sides take turns, each timed from the start of its process to its results on disk:

- benchbox: `benchbox run --no-report` into a fresh workspace, all cores;
- CompressAI: `python -m compressai.utils.bench jpeg`, in whichever of its settings (jobs x OMP_NUM_THREADS; -: unset)
  was fastest over the first pictures;
- the limit: `bare.py`, encode + decode + scoring of the same points in one process and nothing else.

Every run is a fresh process ("cold"). Picture files are in the system's cache for all sides. numba's compiled kernels
are in the cache of the installed package, as from a user's second run on; the very first run, which compiles them, is
timed once and printed separately.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread

import pandas as pd
from machine import QUIET, Run, machine, timed_run, wait_until_quiet
from peer import FOLDER as PEER
from peer import check, python_of

import benchbox
from benchbox.image import is_picture_name

QUALITIES = tuple(range(10, 101, 10))
KODAK = Path(__file__).resolve().parents[2] / "shared" / "datasets" / "kodak"
CORES = os.cpu_count() or 1

RATIO, SHARE = 12.0, 0.75
"""The aims: points per second relative to the peer's, and share of the physical limit."""

SAME = {"bpp": 1e-9, "psnr": 1e-3, "ms_ssim": 2e-5}
"""Allowed difference of the two sides' means; the peer scores in float32."""


@dataclass(frozen=True)
class Ours:
    """A run of benchbox.

    Attributes:
        first: seconds from start to first result.
        window: seconds from the first result to the last stream.
        points: streams written within the window.
    """

    run: Run
    first: float
    window: float
    points: int


class FirstResult(Thread):
    """Notes when the first result of a run appears; until then, it looks into the spool a hundred times a second."""

    def __init__(self, workspace: Path) -> None:
        super().__init__(daemon=True)
        self.time = 0.0
        self._spool = workspace / "spool"

    def run(self) -> None:
        while not self.time:
            time.sleep(0.01)
            for path in self._spool.glob("*.jsonl"):
                with contextlib.suppress(OSError):
                    if b'"event": "point"' in path.read_bytes():
                        self.time = time.time()


class Bench:
    """Runs the commands of all sides and keeps their output in a scratch folder."""

    def __init__(self, pictures: Path, scratch: Path, wait: float) -> None:
        self.pictures = pictures
        self.scratch = scratch
        self.points = len(QUALITIES) * sum(is_picture_name(path.name) for path in pictures.rglob("*"))
        self._wait = wait
        self._numbers = count()

    def _timed(self, command: Sequence[object], environment: dict[str, str]) -> tuple[Run, Path]:
        wait_until_quiet(self._wait)
        output = self.scratch / f"{next(self._numbers)}.out"
        return timed_run([str(part) for part in command], output, {**os.environ, **environment}), output

    def ours(self, **environment: str) -> tuple[Ours, Path]:
        """Run benchbox into a fresh workspace; returns the run and the workspace."""
        workspace = self.scratch / f"runs{next(self._numbers)}"
        command = [sys.executable, "-m", "benchbox", "run", "--no-report", "--name", "jpeg", "--workspace", workspace,
                   "--dataset", f"folder:{self.pictures}", "--codec", f"jpeg@{','.join(map(str, QUALITIES))}",
                   "--metric", "psnr", "--metric", "ms-ssim"]  # fmt: skip
        first = FirstResult(workspace)
        first.start()
        run, _ = self._timed(command, environment)
        written = [path.stat().st_mtime for path in (workspace / "streams").glob("*/*")]
        within = sum(moment > first.time for moment in written)
        return Ours(run, first.time - run.start, max(written) - first.time, within), workspace

    def peer(self, jobs: int, threads: str, pictures: Path | None = None) -> tuple[Run, Path]:
        """Run CompressAI's benchmark; returns the run and its JSON file."""
        command = [python_of(PEER), "-m", "compressai.utils.bench", "jpeg", pictures or self.pictures,
                   "--num-jobs", str(jobs), "--qps", ",".join(map(str, QUALITIES))]  # fmt: skip
        return self._timed(command, {} if threads == "-" else {"OMP_NUM_THREADS": threads})

    def bare(self) -> dict[str, float]:
        """Processor seconds of the bare work, by kind."""
        command = [sys.executable, Path(__file__).with_name("bare.py"), self.pictures, ",".join(map(str, QUALITIES))]
        output = self._timed(command, {"OMP_NUM_THREADS": "1"})[1]
        spent: dict[str, float] = json.loads(output.read_text())
        return spent

    def best_setting(self) -> tuple[int, str]:
        """(jobs, OMP_NUM_THREADS) with which the peer is fastest over a few pictures."""
        few = self.scratch / "few"
        few.mkdir()
        for path in sorted(p for p in self.pictures.rglob("*") if is_picture_name(p.name))[:6]:
            (few / path.name).symlink_to(path.resolve())
        settings = [(1, "-"), (1, "1"), (CORES, "1"), (CORES, "-"), (2 * CORES, "1")]
        walls = {setting: self.peer(*setting, pictures=few)[0].wall for setting in settings}
        for (jobs, threads), wall in walls.items():
            print(f"  --num-jobs {jobs} OMP_NUM_THREADS={threads}: {wall:.1f} s over 6 pictures", flush=True)
        return min(walls, key=walls.__getitem__)


def compare(workspace: Path, peer: Path) -> bool:
    """Print the largest difference between both sides' means at any quality; True if all are within `SAME`."""
    ours = benchbox.load("jpeg", workspace).groupby("quality")[list(SAME)].mean()
    theirs = pd.DataFrame(json.loads(peer.read_text())["results"], index=list(QUALITIES)).rename(
        columns={"psnr-rgb": "psnr", "ms-ssim-rgb": "ms_ssim"}
    )
    gaps = {name: float((ours[name] - theirs[name]).abs().max()) for name in SAME}
    print("means of both sides at each quality differ by at most: "
          + ", ".join(f"{name} {gap:.1e} (allowed {SAME[name]:.0e})" for name, gap in gaps.items()))
    return all(gap <= SAME[name] for name, gap in gaps.items())


def show(name: str, values: list[float], form: str) -> None:
    """Print one line: median, best and worst of a figure whose larger values are better."""
    figures = (statistics.median(values), max(values), min(values))
    print(f"{name:44}" + "".join(f"{value:>10{form}}" for value in figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=KODAK)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for a quiet machine before each run")
    parser.add_argument("--peer-setting", metavar="JOBS,THREADS", help="use this, do not search for the best")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        sys.exit(f"{arguments.folder}: there is no such folder; name one with pictures")
    versions = check(PEER)
    if versions is None:
        sys.exit("the peer is not installed; run `python benchmarks/peer.py` first")
    with tempfile.TemporaryDirectory(prefix="benchbox-") as scratch:
        report(Bench(arguments.folder, Path(scratch), arguments.wait), versions, arguments.repeats,
               arguments.peer_setting)  # fmt: skip


def report(bench: Bench, versions: str, repeats: int, setting: str | None) -> None:
    """Run all sides in turns and print their figures."""
    print(f"{machine()}\n{bench.points} points; peer: {versions}", flush=True)
    if setting is None:
        print("the peer's settings:", flush=True)
        jobs, threads = bench.best_setting()
    else:
        jobs, threads = int(setting.partition(",")[0]), setting.partition(",")[2]
    compiling = bench.ours(NUMBA_CACHE_DIR=str(bench.scratch / "numba"))[0].run
    ours, theirs, bare = [], [], []
    for turn in range(repeats):
        one, workspace = bench.ours()
        peer, answer = bench.peer(jobs, threads)
        work = bench.bare()
        print(f"turn {turn + 1}: benchbox {one.run.wall:.2f} s wall, {one.run.cpu:.2f} s processor (others took "
              f"{one.run.others:.0%}); CompressAI {peer.wall:.2f} s, {peer.cpu:.2f} s ({peer.others:.0%}); bare "
              + ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in work.items()) + " s", flush=True)  # fmt: skip
        ours.append(one)
        theirs.append(peer)
        bare.append(sum(work.values()))
    same = compare(workspace, answer)
    limit = statistics.median(bare) / bench.points
    ratios = [peer.wall / one.run.wall for one, peer in zip(ours, theirs, strict=True)]
    shares = [limit * one.points / (CORES * one.window) for one in ours]
    print(f"{'':44}{'median':>10}{'best':>10}{'worst':>10}")
    show("benchbox, points/s, start to results on disk", [bench.points / one.run.wall for one in ours], ".1f")
    show(f"CompressAI ({jobs} jobs, {threads} threads), points/s", [bench.points / peer.wall for peer in theirs], ".2f")
    show("ratio", ratios, ".1f")
    show("ratio by processor seconds", [peer.cpu / one.run.cpu for one, peer in zip(ours, theirs, strict=True)], ".1f")
    show("benchbox, points/s, first to last result", [one.points / one.window for one in ours], ".1f")
    show(f"limit, points/s on {CORES} cores", [CORES * bench.points / seconds for seconds in bare], ".1f")
    show("share of the limit", shares, ".3f")
    show("bare share of all processor seconds", [statistics.median(bare) / one.run.cpu for one in ours], ".3f")
    disturbed = max(run.others for run in (*theirs, *(one.run for one in ours)))
    print(f"other processes took up to {disturbed:.0%} of the machine during a run"
          + ("" if disturbed <= QUIET else ": it was NOT quiet; processor seconds are hardly touched by that"))
    print(f"start-up: {statistics.median(one.first for one in ours):.2f} s to the first result; after the last "
          f"{statistics.median(one.run.wall - one.first - one.window for one in ours):.2f} s")
    print(f"the very first run of all, which compiles the kernels: {compiling.wall:.1f} s")
    ratio, share = statistics.median(ratios), statistics.median(shares)
    print(f"aims: ratio >= {RATIO:g} {'met' if ratio >= RATIO else 'MISSED'}, share >= {SHARE:g} "
          f"{'met' if share >= SHARE else 'MISSED'}, same results {'met' if same else 'MISSED'}")


if __name__ == "__main__":
    main()
