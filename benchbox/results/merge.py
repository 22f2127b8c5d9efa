"""Unites workspaces that never met: rows, streams, times, runs with their former runs, and the machines of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchbox.errors import StoreError, UsageError
from benchbox.files import read_text, same_file, whole_file
from benchbox.results.imports import checked_frame, may_import, take_import
from benchbox.results.mistaken import mistaken
from benchbox.results.records import RECORD, read_environment, read_settings
from benchbox.store import MergingStore, Store, Taken, TakenRun, Workspace, shown

_PLAN, _SETTINGS, _ENVIRONMENT = "plan.toml", "settings.json", "environment.json"

Say = Callable[[str], None]


def merge(sources: Sequence[Path], into: Workspace, say: Say) -> bool:
    """Take everything that the workspaces in the folders `sources` hold over `into`, which is made if it is not there;
    the sources are only read. A merge that was stopped is completed by the same command.

    Args:
        sources: folders of workspaces.
        into: the workspace that receives.
        say: is given a line at a time: what was taken, and what disagrees.

    Returns:
        True if no key has other bytes or pixels in one workspace than in another.

    Raises:
        UsageError: a source is `into` itself.
        StoreError: a source is no workspace, lacks the record of a run, or has a damaged imported run, in which case
            nothing is written; or one holds damaged rows or `into` cannot be written, and `into` holds what it held
            before or whole sources more.
    """
    others = [_opened(folder, into) for folder in sources]
    agreed = True
    with into.lock(), MergingStore(into) as store:
        for other in others:
            busy = other.busy()
            with store.taking(other) as taken:
                streams = into.streams.take(other.streams, store.streams_of_other())
                for run in taken.runs:
                    _take_record(other.run_folder(run.source), into.run_folder(run.folder), run)
            agreed = agreed and not taken.clashes
            for line in [*_lines(taken, streams, other, into), *_rest(other, busy), *_take_imported(other, store)]:
                say(line)
        for name, _ in store.runs():
            counts, _ = store.outcomes(name)
            rest = f"; its plan, run with --workspace {into}, measures the rest" if "missing" in counts else ""
            say(f"{name}: {', '.join(f'{rows} {status}' for status, rows in sorted(counts.items()))}{rest}")
    return agreed


def _opened(folder: Path, into: Workspace) -> Workspace:
    """The workspace in `folder`, if it is one that can be read."""
    other = Workspace.at(folder)
    if same_file(other.folder, into.folder):
        raise UsageError(f"{folder}: is the workspace that --into names; leave it out of those to be merged")
    if not other.database.exists():
        raise mistaken(folder, "workspace")
    with Store(other) as store:
        for run, _ in store.runs():
            name = store.former_folder(run) or run
            if Path(name).name == name:  # another is refused when the rows are checked
                _record(other.run_folder(name))
    for name in other.imported_runs():
        checked_frame(other.run_folder(name))
        _record(other.run_folder(name))
    return other


def _record(folder: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Plan, settings and machines of a run."""
    return (read_text(folder / _PLAN, RECORD), read_settings(folder / _SETTINGS).model_dump(),
            read_environment(folder / _ENVIRONMENT))  # fmt: skip


def _take_record(source: Path, target: Path, run: TakenRun) -> None:
    """Write plan, settings and machines of a run; those of a run that was here gain what is new."""
    plan, settings, environment = _record(source)
    if run.known:
        theirs = settings
        plan, settings, mine = _record(target)
        settings["metrics"] = list(dict.fromkeys([*settings["metrics"], *theirs["metrics"]]))
        sessions = [*mine["sessions"], *(s for s in environment["sessions"] if s not in mine["sessions"])]
        environment = {**environment, **mine, "sessions": sorted(sessions, key=lambda s: str(s.get("id", "")))}
    _write(target / _PLAN, plan)
    _write(target / _SETTINGS, json.dumps(settings, indent=1))
    _write(target / _ENVIRONMENT, json.dumps(environment, indent=1))


def _take_imported(other: Workspace, store: MergingStore) -> list[str]:
    """Take the imported runs of a workspace over; returns a line for each that has another name here."""
    lines = []
    for name in other.imported_runs():
        free, number = name, 1
        while not may_import(other.run_folder(name), free, store):
            free, number = f"{name}-{other.folder.name}" + (f"-{number}" if number > 1 else ""), number + 1
        take_import(other.run_folder(name), free, store)
        lines += [f"  {name} is {free} in {store.workspace}, where {name} is another run"] if free != name else []
    return lines


def _write(path: Path, text: str) -> None:
    """Write a file whole, unless it holds that text."""
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write {path.parent}: {error.strerror}; make room or choose another place") from error
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _lines(taken: Taken, streams: Counter[str], other: Workspace, into: Workspace) -> list[str]:
    """What is to be said of one workspace."""
    found = [f"{other}: {taken.points} points, {taken.new} of them new"
             + (f", {taken.better} better than what was there" if taken.better else "")
             + f"; {streams['copied']} streams copied"]  # fmt: skip
    found += [f"  {run.was} is {run.name} in {into}, where {run.was} has other rows"
              for run in taken.runs if run.name != run.was and not run.known]  # fmt: skip
    found += [f"  {codec}: {points} points have other bytes or pixels than in {into} under the same keys; those of "
              f"{into} stay; make the codec deterministic, or give it an identity that says what differs"
              for codec, points in sorted(taken.clashes.items())]  # fmt: skip
    if taken.scores:
        found.append(f"  {taken.scores} scores of the same pixels differ from those in {into}, which stay")
    if streams["damaged"]:
        found.append(f"  {streams['damaged']} streams are damaged there and left out; run the plan with --retry")
    if streams["missing"]:
        found.append(f"  {streams['missing']} streams are missing there; their points are encoded again when another "
                     "metric is to score them")
    return found


def _rest(other: Workspace, busy: bool) -> list[str]:
    """The line about points of `other` that its store does not hold yet. `busy`: a run was at work there before they
    were taken."""
    if busy:
        return [f"  a run is at work in {other}, of which more comes than was taken; merge again when it is done"]
    if any(other.spool.glob("*.jsonl")):
        return [f"  a stopped run left points in {shown(other.spool)}, which are not taken; run its plan there, and "
                "merge again"]
    return []
