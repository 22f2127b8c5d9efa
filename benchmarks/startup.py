"""Start-up time: `import benchbox` and `benchbox --help` compared with a bare interpreter. A tool to run by hand.

    python benchmarks/startup.py [--repeats N] [--wait SECONDS]

The commands run in turns. For each, the median and the best wall time are printed, and the difference from the bare
interpreter. Aim: less than 0.3 s above it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from machine import machine, timed_run, wait_until_quiet

AIM = 0.3
"""Seconds above a bare interpreter."""

COMMANDS = {
    "bare interpreter": ("-c", "pass"),
    "import benchbox": ("-c", "import benchbox"),
    "benchbox --help": ("-c", "import sys; from benchbox.cli.main import main; sys.argv[1:] = ['--help']; main()"),
    "benchbox list codecs": ("-m", "benchbox", "list", "codecs"),
}
"""The third is what the installed `benchbox` script does."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for a quiet machine")
    arguments = parser.parse_args()
    busy = wait_until_quiet(arguments.wait)
    print(f"{machine()}; {busy:.0%} busy with other work before")
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    others = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(arguments.repeats + 1):
            for name, command in COMMANDS.items():
                run = timed_run([sys.executable, *command], Path(folder, "out"), os.environ)
                if turn:  # the first turn fills the file cache
                    times[name].append(run.wall)
                    others.append(run.others)
    bare = {"median": statistics.median(times["bare interpreter"]), "best": min(times["bare interpreter"])}
    print(f"{arguments.repeats} runs of each in turns; other processes took {statistics.median(others):.0%} meanwhile")
    print(f"{'':22}{'median':>9}{'above':>9}{'best':>9}{'above':>9}  s")
    for name, values in times.items():
        median, best = statistics.median(values), min(values)
        print(f"{name:22}{median:9.3f}{median - bare['median']:9.3f}{best:9.3f}{best - bare['best']:9.3f}")
    above = max(statistics.median(times[n]) for n in ("import benchbox", "benchbox --help")) - bare["median"]
    verdict = "met" if above < AIM else "MISSED"
    print(f"aim: < {AIM} s above the bare interpreter: {verdict} ({above:.3f} s by the medians)")


if __name__ == "__main__":
    main()
