"""Damages one file of a workspace and has every command read it: each must do its work, or name the file in one line.

A command runs in a forked child, which SQLite or the system may end. What is checked after each damage:

- no command ends by a signal, prints a traceback or an "unexpected" error, or fails without naming the damaged file;
- the run either goes through, with the results of the undisturbed one, or refuses; where it refuses, putting the file
  back as it was must bring the whole run back with nothing to measure again;
- where a database takes a change for good, results differ without a word: SQLite keeps no checksum of its pages. Those
  are counted, as `unnoticed`.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from torture_runs import Kept, Run, kept, measured_now

from benchbox.cli.main import main as benchbox

READS = (("list", "runs"), ("export", "k", "--output", "{out}.csv"),
         ("report", "k", "--format", "tables", "--output", "{out}"), ("gc",))  # fmt: skip
SECONDS = 120


@dataclasses.dataclass
class Outcome:
    """How often commands did their work and refused, by kind of file; `unnoticed` are changes of the database that no
    command could see, `wrong` what should not be, `always` what commands say of the workspaces without damage."""

    always: set[str] = dataclasses.field(default_factory=set)
    done: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    refused: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    trials: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    unnoticed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    wrong: list[str] = dataclasses.field(default_factory=list)


def attack(count: int, seed: int, outcome: Outcome) -> None:
    """Damage `count` workspaces, and note in `outcome` what came of each."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        run = dataclasses.replace(Run.make(Path(name), pictures=2, metrics=("psnr",)), workers=1)
        whole, broken = run.folder / "whole", run.folder / "broken"
        done = run.finish(whole)
        if done.returncode:
            raise SystemExit(f"the undisturbed run failed: {done.stderr[-1000:]}")
        _break_off(run, broken)
        good = kept(whole)
        _preload(run, whole)
        for source in (whole, broken):  # under the name that damaged ones have
            shutil.copytree(source, run.folder / "damaged")
            texts = [_command(_read(run, arguments, run.folder / "damaged"), run)[1] for arguments in READS]
            outcome.always |= {line.partition(" ")[2] for text in texts for line in text.splitlines()[-1:]}
            shutil.rmtree(run.folder / "damaged")
        for number in range(count):
            _one(run, good, (whole, broken)[number % 2], random.Random(chance.random()), outcome)


def _preload(run: Run, workspace: Path) -> None:
    """Run the commands once here, so that the children have all modules that they need."""
    for arguments in (*(_read(run, arguments, workspace) for arguments in READS), run.command(workspace)[3:]):
        sys.argv = ["benchbox", *arguments]
        with (
            contextlib.chdir(run.folder), contextlib.suppress(SystemExit), open(os.devnull, "w") as nothing,
            contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing),
        ):  # fmt: skip
            benchbox()


def _break_off(run: Run, workspace: Path) -> None:
    """Make a workspace of a run that was killed with points in its spool and a journal next to its database."""
    for _ in range(50):
        shutil.rmtree(workspace, ignore_errors=True)
        process = subprocess.Popen(run.command(workspace), cwd=run.folder, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if any(b'"point"' in file.read_bytes() for file in (workspace / "spool").glob("*.jsonl")):
                process.kill()
            time.sleep(0.001)
        time.sleep(1)
        if any(file.stat().st_size for file in (workspace / "spool").glob("*.jsonl")):
            return
    raise SystemExit("no run could be killed with points in its spool")


def _files(workspace: Path) -> dict[str, list[Path]]:
    """The files of a workspace by kind."""
    found: dict[str, list[Path]] = collections.defaultdict(list)
    for path in sorted(path for path in workspace.rglob("*") if path.is_file() and path.stat().st_size):
        place = path.relative_to(workspace)
        kind = "database" if path.suffix == ".sqlite" else "journal" if path.name.startswith("store.sqlite-") else ""
        found[kind or ("run's record" if place.parts[0] == "k" else place.parts[0])].append(path)
    return found


def _one(run: Run, good: Kept, source: Path, chance: random.Random, outcome: Outcome) -> None:
    workspace = run.folder / "damaged"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(source, workspace)
    files = _files(workspace)
    kind = chance.choice(sorted(files))
    path = chance.choice(files[kind])
    before, how = path.read_bytes(), chance.choice(sorted(_DAMAGE))
    outcome.trials[kind] += 1
    _DAMAGE[how](path, before, chance)
    what = f"{path.relative_to(workspace)} ({how}, {len(before)} bytes)"
    for arguments in READS:
        _check(outcome, kind, f"{what}: {arguments[0]}", path, _command(_read(run, arguments, workspace), run))
    status, said = _command(run.command(workspace)[3:], run)
    _check(outcome, kind, f"{what}: run", path, (status, said))
    if status == 0:
        _compare(outcome, kind, what, good, kept(workspace))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    lacking = len(good.encodings) - len(kept(workspace).encodings) if source.name == "broken" else 0
    status, said = _command(run.command(workspace)[3:], run)
    if status or measured_now(said) > lacking or kept(workspace).encodings != good.encodings:
        outcome.wrong.append(f"{what}: with the file put back, the run ended with {status}: {said[-300:]}")


def _compare(outcome: Outcome, kind: str, what: str, good: Kept, found: Kept) -> None:
    same = {key: found.encodings.get(key) for key in good.encodings} == good.encodings and found.scores == good.scores
    whole = kind not in ("database", "journal")  # where the name of a stream may be what has changed
    if found.bad_streams and whole and "(missing" not in what:  # one that somebody deleted comes back with --retry
        outcome.wrong.append(f"{what}: run: {len(found.bad_streams)} streams stay damaged or missing")
    elif not same and not whole:
        outcome.unnoticed[kind] += 1
    elif not same:
        outcome.wrong.append(f"{what}: run: other results than the undisturbed run's")


def _check(outcome: Outcome, kind: str, what: str, path: Path, ended: tuple[int, str]) -> None:
    status, said = ended
    lines = said.strip().splitlines()
    if status == 0:
        outcome.done[kind] += 1
    elif status < 0 or _is_raw(said):
        outcome.wrong.append(f"{what} ended with {status}: {said[-300:]}")
    elif lines[-1].partition(" ")[2] not in outcome.always and not any(name in said for name in (
        path.name, path.name.partition("-")[0], path.parent.name)):  # fmt: skip
        outcome.wrong.append(f"{what} does not name the file: {lines[-1]}")
    else:
        outcome.refused[kind] += 1


def _is_raw(said: str) -> bool:
    """Whether an error is anything else than a line of benchbox's."""
    lines = said.strip().splitlines()
    return "Traceback" in said or "unexpected" in said or not lines or not lines[-1].startswith("benchbox: ")


def _read(run: Run, arguments: Sequence[str], workspace: Path) -> list[str]:
    return [*(part.format(out=run.folder / "out") for part in arguments), "--workspace", str(workspace)]


def _command(arguments: Sequence[str], run: Run) -> tuple[int, str]:
    """Run the command line in a forked child; (exit status, or minus the signal that ended it; what it printed)."""
    with tempfile.TemporaryFile() as printed:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                _become(arguments, run.folder, printed.fileno())
            os._exit(99)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read().decode(errors="replace")


def _become(arguments: Sequence[str], folder: Path, output: int) -> None:
    os.chdir(folder)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.alarm(SECONDS)
    sys.argv = ["benchbox", *arguments]
    code = 0
    try:
        benchbox()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _flip(path: Path, data: bytes, chance: random.Random) -> None:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 4, 40))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    path.write_bytes(changed)


def _truncate(path: Path, data: bytes, chance: random.Random) -> None:
    path.write_bytes(data[: chance.choice((0, 1, len(data) // 2, chance.randrange(len(data))))])


def _zeros(path: Path, data: bytes, chance: random.Random) -> None:
    begin = chance.choice((0, chance.randrange(len(data))))
    end = min(len(data), begin + chance.choice((16, 4096, len(data))))
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])


def _missing(path: Path, _data: bytes, _chance: random.Random) -> None:
    path.unlink()


_DAMAGE: dict[str, Callable[[Path, bytes, random.Random], None]] = {
    "bits flipped": _flip, "cut off": _truncate, "zeros": _zeros, "missing": _missing,
}  # fmt: skip
