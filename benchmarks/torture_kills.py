"""Kills a small run at random moments, carries it on, and holds what came of it against an undisturbed run."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from torture_runs import Kept, Run, kept, measured_now, spooled

KINDS = ("runner", "worker", "one of its processes", "both", "TERM", "HUP", "INT twice")
"""Whom SIGKILL ends: the run's own process, a process without others below it (workers and their decoders), any process
below it, or all of them at once; or the signal that the run's process group gets."""

METRICS = 2


@dataclasses.dataclass
class Outcome:
    """By kind of kill: how many reached a run at work. `again` is the number of points that were measured before a kill
    and once more after it, and `wrong` is what should not be."""

    kills: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    runs: int = 0
    again: int = 0
    recovered: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)


def attack(count: int, seed: int, outcome: Outcome) -> None:
    """Kill runs, each up to three times, until there were `count` kills; note in `outcome` what came of it."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        run = Run.make(Path(folder))
        done = run.finish(run.folder / "undisturbed")
        good = kept(run.folder / "undisturbed")
        if done.returncode or good.bad_streams:
            raise SystemExit(f"the undisturbed run failed: {done.stderr[-1000:]}")
        while sum(outcome.kills.values()) < count:
            _one(run, good, outcome.runs, chance, outcome)
            outcome.runs += 1


def _one(run: Run, good: Kept, number: int, chance: random.Random, outcome: Outcome) -> None:
    workspace = run.folder / "killed"
    shutil.rmtree(workspace, ignore_errors=True)
    what = []
    for _ in range(chance.choice((1, 2, 3))):
        kind, streams = KINDS[sum(outcome.kills.values()) % len(KINDS)], chance.randrange(-2, len(good.encodings))
        what.append(f"{kind} after {streams} streams")
        faults = _kill(run, workspace, (kind, streams), chance, outcome)
        outcome.wrong += [f"kill {number} ({', '.join(what)}): {fault}" for fault in faults]
    before = kept(workspace)
    have = before.encodings.keys() | spooled(workspace)
    scored = {key for key in have if key not in before.encodings or sum(k == key for k, *_ in before.scores) == METRICS}
    outcome.recovered += len(have) - len(before.encodings)
    done = run.finish(workspace)
    after = kept(workspace)
    faults = _differences(good, before, after)
    if done.returncode:
        faults.append(f"carrying on ended with {done.returncode}: {done.stderr[-300:]}")
    again = measured_now(done.stdout) - (len(good.encodings) - len(scored))
    if again > 0:
        outcome.again += again
        faults.append(f"{again} points that were measured were measured again")
    if left := sorted(path.name for path in (workspace / "spool").iterdir()):
        faults.append(f"left in the spool: {left}")
    outcome.wrong += [f"kill {number} ({', '.join(what)}): {fault}" for fault in faults]


def _differences(good: Kept, before: Kept, after: Kept) -> list[str]:
    faults = []
    if after.encodings != good.encodings:
        faults.append("keys, sizes or digests differ from the undisturbed run's")
    if after.scores != good.scores:
        faults.append("scores differ from the undisturbed run's")
    if after.bad_streams:
        faults.append(f"{len(after.bad_streams)} streams are damaged or missing")
    if any(after.encodings.get(key) != row for key, row in before.encodings.items()):
        faults.append("a row that was kept before the kill has changed")
    return faults


def _kill(run: Run, workspace: Path, how: tuple[str, int], chance: random.Random, outcome: Outcome) -> list[str]:
    """Start the run and kill it once there are so many streams, in its first seconds if the number is negative; returns
    what was wrong about its end."""
    kind, streams = how
    process = subprocess.Popen(run.command(workspace), cwd=run.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, start_new_session=True)  # fmt: skip
    time.sleep(chance.uniform(0, 3) if streams < 0 else 0)
    while process.poll() is None and len(list((workspace / "streams").glob("??/?*"))) < streams:
        time.sleep(0.01)
    family = _family(process.pid)
    if process.poll() is None and _strike(process.pid, family, kind, chance):
        outcome.kills[kind] += 1
    try:
        said = process.communicate(timeout=120)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return ["it did not end within 120 s"]
    faults = ["it printed a traceback"] if "Traceback" in said else []
    alive = _alive(family)
    if alive:
        faults.append(f"still at work 5 s later: {alive}")
    return faults


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def _strike(pid: int, family: Sequence[psutil.Process], kind: str, chance: random.Random) -> bool:
    """Kill what `kind` names; False if there is none yet."""
    try:
        if kind in ("worker", "one of its processes"):
            return _kill_one([process for process in family if kind != "worker" or not _has_children(process)], chance)
        if kind in ("runner", "both"):
            for victim in family if kind == "both" else ():
                with contextlib.suppress(psutil.Error):
                    victim.kill()
            os.kill(pid, signal.SIGKILL)
        elif kind == "INT twice":
            os.killpg(pid, signal.SIGINT)
            time.sleep(chance.uniform(0, 0.5))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGINT)
        else:
            os.killpg(pid, getattr(signal, f"SIG{kind}"))
    except ProcessLookupError:
        return False
    return True


def _kill_one(victims: Sequence[psutil.Process], chance: random.Random) -> bool:
    if victims:
        with contextlib.suppress(psutil.Error):
            chance.choice(victims).kill()
            return True
    return False


def _has_children(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.children())
    return False


def _alive(family: Sequence[psutil.Process]) -> list[str]:
    """Processes of the family that are at work 5 seconds after its end."""
    _, alive = psutil.wait_procs(family, timeout=5)
    names = []
    for process in alive:
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                names.append(f"{process.name()} {process.pid}")
    return names
