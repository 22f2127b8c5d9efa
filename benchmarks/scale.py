"""What benchbox costs as runs, pictures and machines grow; each part prints its figures and the aims.

``python benchmarks/scale.py FOLDER [PART ...]`` makes what it needs in FOLDER, or takes what it made there before.

- `store`: processor seconds and peak memory of resume, dry run, load, export and report over runs of `--sizes`
  operating points (20 codecs x 20 qualities), and the exponent of growth of each between the two largest.
- `folder`: the same for `benchbox report` of one codec on 10,000 pictures in a folder.
- `dask`: processor seconds a job over 300 JPEG jobs: in local processes, on a dask cluster that was just started, and
  on the same cluster again; with dask's defaults, and with the settings of docs/cluster.md. What a cluster takes a
  second while it has nothing to do is told too, since that is charged to a job by its wall time.
- `pictures`: peak memory of a run with PSNR and MS-SSIM, and of its report, at 60 and 100 megapixels.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from machine import Run, machine, timed_run

RUN = "scale"
PARTS = {"store": "10 minutes for 100,000 points, an hour for 1,000,000", "folder": "2 minutes", "dask": "3 minutes",
         "pictures": "3 minutes and 4 GiB of memory"}  # fmt: skip
EXPONENT = 1.1
AIMS = {"resume": (15.0, 0.5), "report": (60.0, 3.0)}
"""Aims at 1,000,000 points: processor seconds, peak in GiB."""
FOLDER = 4.0
"""Aim of `folder`: processor seconds."""
MEGAPIXELS, TIMES_RAW = (60, 100), 4.0
HERE = Path(__file__).parent


def main() -> None:
    """Run the parts that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--sizes", default="1000,10000,100000,1000000", help="points of the runs of `store`")
    asked = parser.parse_args()
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown or not asked.parts:
        sys.exit("\n".join([f"no part is called {unknown[0]}" if unknown else "name the parts to run:",
                            *(f"  {part}: {cost}" for part, cost in PARTS.items())]))
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    for part in asked.parts:
        if part == "store":
            store(folder, [int(size) for size in asked.sizes.split(",")])
        else:
            {"folder": folder_of_pictures, "dask": dask, "pictures": pictures}[part](folder)


def store(folder: Path, sizes: Sequence[int]) -> None:
    """The part `store`."""
    found: dict[str, list[tuple[int, Run]]] = {}
    for size in sizes:
        place, count = folder / f"store-{size}", max(2, round(size / 400))
        _fill(place, 20, 20, count)
        for name, command in _commands(place).items():
            found.setdefault(name, []).append((400 * count, _timed(command, place)))
    for name, runs in found.items():
        figures = "; ".join(f"{points:,}: {_figures(run)}" for points, run in runs)
        print(f"{name:8}{figures}{_growth([(points, run.cpu) for points, run in runs])}{_judged(name, *runs[-1])}")


def _growth(costs: Sequence[tuple[int, float]]) -> str:
    """The exponent of growth between the two largest, after the cost of the smallest, which is that of starting."""
    if len(costs) < 3:
        return ""
    (_, least), *_, (few, one), (many, other) = costs
    exponent = math.log(max(other - least, 1e-3) / max(one - least, 1e-3)) / math.log(many / few)
    return f"; exponent {exponent:.2f} ({'met' if exponent <= EXPONENT else 'MISSED'}: <= {EXPONENT})"


def _judged(name: str, points: int, run: Run) -> str:
    if name not in AIMS or points != 1_000_000:
        return ""
    seconds, memory = AIMS[name]
    met = run.cpu < seconds and run.peak < memory * 2**30
    return f"; aims {'met' if met else 'MISSED'}: < {seconds:g} s, < {memory:g} GiB"


def _commands(place: Path) -> dict[str, list[str]]:
    """What is measured, by name."""
    benchbox, workspace = [sys.executable, "-m", "benchbox"], ["--workspace", str(place / "runs")]
    load = f"import benchbox; assert len(benchbox.load({RUN!r}, {str(place / 'runs')!r}))"
    return {
        "resume": [*benchbox, "run", str(place / "plan.toml"), "--no-report", *workspace],
        "dry run": [*benchbox, "run", str(place / "plan.toml"), "--dry-run", *workspace],
        "load": [sys.executable, "-c", load],
        "export": [*benchbox, "export", RUN, "--format", "parquet", "--output", str(place / "t.parquet"), *workspace],
        "report": [*benchbox, "report", RUN, *workspace],
    }


def folder_of_pictures(folder: Path) -> None:
    """The part `folder`."""
    place = folder / "folder-10000"
    _fill(place, 1, 4, 10_000)
    run = _timed(_commands(place)["report"], place)
    verdict = "met" if run.cpu < FOLDER else "MISSED"
    print(f"report of 10,000 pictures, 1 codec x 4 qualities: {_figures(run)} ({verdict}: < {FOLDER:g} s); others took "
          f"{run.others:.0%}")


def dask(folder: Path) -> None:
    """The part `dask`: the cluster's processes are started here, so that their seconds can be read."""
    place, jobs = folder / "dask", 300
    _make(place, 25, 512, 768, codecs=12, qualities=1)
    run = [sys.executable, "-m", "benchbox", "run", str(place / "plan.toml"), "--no-report"]

    def in_processes() -> float:
        local = _timed([*run, "--workers", "2", "--workspace", _fresh(place / "local")], place)
        print(f"local: {1000 * local.cpu / jobs:.0f} ms of processor a job, {local.wall:.1f} s wall", flush=True)
        return local.cpu

    for name, variables in (("defaults", {}), ("settings", _settings())):
        before = in_processes()
        with _cluster(place, variables) as (address, seconds):
            start = seconds()
            time.sleep(10)
            upkeep = (seconds() - start) / 10
            print(f"dask, {name}, idle: {1000 * upkeep:.0f} ms of processor a second", flush=True)
            for state in ("cold", "warm"):
                start = seconds()
                client = _timed([*run, "--dask", address, "--workspace", _fresh(place / "remote")], place)
                time.sleep(5)  # until the run's processes have ended
                cpu = client.cpu + seconds() - start - 5 * upkeep
                shares = cpu / before, (cpu - client.wall * upkeep) / before
                print(f"dask, {name}, {state}: {1000 * cpu / jobs:.0f} ms a job, {client.wall:.1f} s wall, "
                      "{:.2f} of local; {:.2f} without what it takes idle".format(*shares), flush=True)  # fmt: skip
    in_processes()


def _settings() -> dict[str, str]:
    """The environment that docs/cluster.md advises for schedulers and workers."""
    page = (HERE.parent / "docs" / "cluster.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^export (DASK_\w+)=(\S+)$", page, re.MULTILINE))


@contextmanager
def _cluster(place: Path, variables: Mapping[str, str]) -> Iterator[tuple[str, Callable[[], float]]]:
    """A scheduler and a worker of two threads: its address, and what tells the processor seconds that they took."""
    port = 18787
    address = f"tcp://127.0.0.1:{port}"
    here = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "2", "--no-dashboard"]
    with (place / "cluster.txt").open("wb") as out:
        cluster = [subprocess.Popen([sys.executable, "-m", "dask", *command], stdout=out, stderr=out,
                                    env={**os.environ, **variables}) for command in (here, worker)]  # fmt: skip
    try:
        from distributed import Client  # only this part needs dask

        with Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=120)
        yield address, lambda: sum(map(_seconds, cluster))
    finally:
        for process in reversed(cluster):
            process.terminate()
            process.wait()


def _seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor seconds of a process and all below it, those that have ended included."""
    top, seconds = psutil.Process(process.pid), 0.0
    for one in [top, *top.children(recursive=True)]:
        with suppress(psutil.Error):  # it ends just now, and counts with its parent
            seconds += sum(one.cpu_times()[:4])
    return seconds


def pictures(folder: Path) -> None:
    """The part `pictures`."""
    for size in MEGAPIXELS:
        place = folder / f"pictures-{size}"
        height, width = round(math.sqrt(size * 2e6 / 3)), round(math.sqrt(size * 3e6 / 2))
        _make(place, 1, height, width, codecs=1, qualities=4)
        raw = 3 * height * width
        workspace = ["--workspace", _fresh(place / "runs")]
        benchbox = [sys.executable, "-m", "benchbox"]
        for name, command in (("run", ["run", str(place / "plan.toml"), "--no-report", "--workers", "1", *workspace]),
                              ("report", ["report", RUN, *workspace])):  # fmt: skip
            run = _timed([*benchbox, *command], place)
            verdict = "met" if run.peak <= TIMES_RAW * raw else "MISSED"
            print(f"{size} MP, {name}: {_figures(run)}, {run.peak / raw:.1f} times raw ({verdict}: <= {TIMES_RAW:g})",
                  flush=True)


def _fresh(workspace: Path) -> str:
    shutil.rmtree(workspace, ignore_errors=True)
    return str(workspace)


def _make(place: Path, count: int, height: int, width: int, codecs: int, qualities: int) -> None:
    """Pictures of that size and a plan over them."""
    if not (place / "plan.toml").exists():
        _python(f"write_pictures(Path({str(place)!r}, 'pictures'), {count}, {height}, {width})",
                f"write_plan(Path({str(place)!r}), {codecs}, {qualities})")


def _fill(place: Path, *sizes: int) -> None:
    """A run of that many codecs, qualities and pictures."""
    _python(f"fill(Path({str(place)!r}), *{sizes})")


def _python(*lines: str) -> None:
    """Run lines of Python in a process of its own: a command's peak is at least that of the process that starts it."""
    subprocess.run([sys.executable, "-c", "\n".join(["from scale_store import *", *lines])], check=True, cwd=HERE)


def _figures(run: Run) -> str:
    return f"{run.cpu:.1f} s, {run.peak / 2**20:,.0f} MiB"


def _timed(command: Sequence[str], place: Path) -> Run:
    return timed_run(command, place / "output.txt", {**os.environ, "OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    main()
