"""Tries to make benchbox lose something, or say something raw. A tool to run by hand.

    python benchmarks/torture.py [PART ...] [--seed N] [--kills 50] [--ours 20000] [--others 1000] [--damaged 200]
                                 [--jobs 3000] [--keep FOLDER]

- streams: damaged streams of every codec, through its decoder; `--ours` of each codec whose bitstream is ours and
  `--others` of each other one. A raw error is whatever is neither a picture nor one line of benchbox's.
- kills: a small run is killed at a random moment (`--kills` times: its own process, a worker, a worker's guard, all of
  them, by SIGTERM, by SIGHUP, by two SIGINT) and carried on, and must end as an undisturbed one. Whatever was measured
  before the kill and is measured again, or differs, is lost.
- damage: workspaces of which one file has flipped bits, is cut off, is zeros or is missing (`--damaged` of them), read
  by every command. Each must do its work or name the file in one line; once the file is whole again, nothing may be
  measured again.
- jobs: `--jobs` tiny jobs in one run, with the memory, open files and threads of all its processes watched.

Without PART, all of them, which takes about an hour on one core. Ctrl-C ends a part, with what it found so far. Streams
with a raw result are kept in `--keep`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import torture_damage
import torture_jobs
import torture_kills
import torture_streams
from machine import machine

Report = Callable[[str], None]


def streams(asked: argparse.Namespace, say: Report) -> list[str]:
    """Decode damaged streams of every codec; returns what went wrong."""
    say(f"{'codec':22}{'streams':>9}{'pictures':>10}{'refused':>9}{'raw':>5}{'slowest s':>11}")
    wrong: list[str] = []
    for codec in asked.codec or torture_streams.available():
        count = asked.ours if codec in torture_streams.OURS else asked.others
        found = torture_streams.attack(codec, count, asked.seed, asked.keep)
        say(f"{codec:22}{found.tries:9d}{found.pictures:10d}{found.refused:9d}{len(found.raw):5d}{found.slowest:11.2f}")
        wrong += found.raw
    return wrong


def kills(asked: argparse.Namespace, say: Report) -> list[str]:
    """Kill a small run at random moments and carry it on; returns what went wrong."""
    found = torture_kills.Outcome()
    with contextlib.suppress(KeyboardInterrupt):
        torture_kills.attack(asked.kills, asked.seed, found)
    say(f"{found.runs} runs; kills by whom or what they hit: {_counts(found.kills)}")
    say(f"{found.recovered} points taken in from spools, {found.again} points measured twice")
    return found.wrong


def damage(asked: argparse.Namespace, say: Report) -> list[str]:
    """Damage one file of a workspace and read it with every command; returns what went wrong."""
    found = torture_damage.Outcome()
    with contextlib.suppress(KeyboardInterrupt):
        torture_damage.attack(asked.damaged, asked.seed, found)
    say(f"{'damaged':14}{'files':>7}{'commands done':>15}{'refused':>9}{'unnoticed':>11}")
    for kind, trials in sorted(found.trials.items()):
        say(f"{kind:14}{trials:7d}{found.done[kind]:15d}{found.refused[kind]:9d}{found.unnoticed[kind]:11d}")
    return found.wrong


def jobs(asked: argparse.Namespace, say: Report) -> list[str]:
    """Run many tiny jobs and watch the processes; returns what grows."""
    lines, wrong = torture_jobs.attack(asked.jobs)
    say(f"{lines[0]}; of each process below: the most in the first, second and last fifth of that time")
    for line in lines[1:]:
        say(line)
    return wrong


def _counts(numbers: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items()))


PARTS: Mapping[str, Callable[[argparse.Namespace, Report], list[str]]] = {
    "streams": streams, "kills": kills, "damage": damage, "jobs": jobs,
}  # fmt: skip


def main() -> None:
    """Run the parts that are asked for, print what they found, and end with 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--ours", type=int, default=20_000)
    parser.add_argument("--others", type=int, default=1000)
    parser.add_argument("--damaged", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--codec", action="append", help="for streams: this one only; may be given more than once")
    parser.add_argument("--keep", type=Path, default=Path(".bench") / "torture")
    asked = parser.parse_args()
    wrong: list[str] = []
    for name in asked.part:
        start = time.monotonic()
        print(f"{name}: {machine()}, seed {asked.seed}", flush=True)
        found = PARTS[name](asked, lambda line: print(f"  {line}", flush=True))
        print(f"{name}: {len(found)} wrong, {time.monotonic() - start:.0f} s", flush=True)
        for line in found[:20]:
            print(f"  {line}", flush=True)
        wrong += found
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
