"""Takes a published folder into a workspace: it is then a run there, by its name, whose rows others measured.

Its rows stay a table of their own. They have no streams, and the versions of the metrics are unknown, so they never
stand in for a measurement of this workspace, whose keys they share; every report says that they were imported.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.errors import StoreError, UsageError
from benchbox.files import read_text, whole_folder
from benchbox.results.faults import row_faults
from benchbox.results.load import published_frame
from benchbox.results.mistaken import mistaken
from benchbox.results.place import is_published
from benchbox.results.records import RECORD, read_environment, read_settings
from benchbox.store import PUBLISHED, Store, Workspace, WritableStore

if TYPE_CHECKING:
    import pandas as pd

_FILES = (PUBLISHED, "plan.toml", "settings.json", "environment.json")


def may_import(source: Path, name: str, store: Store) -> bool:
    """Whether the published folder `source` can be the run `name` of a workspace: nothing else is called so there."""
    target = store.workspace.run_folder(name)
    if is_published(target) and _is_whole(target):
        return _origin(target).get("sha256") in (_sha256(source), _origin(source).get("sha256"))
    return name not in [run for run, _ in store.runs()]


def import_run(source: Path, name: str, workspace: Workspace) -> int:
    """Take the published folder `source` in as the run `name`; again changes nothing. Returns the number of its rows.

    Raises:
        UsageError: another run of the workspace has that name.
        StoreError: `source` is no published folder or holds what no run gives, in which case nothing is written, or the
            workspace cannot be written.
    """
    workspace.run_folder(name)  # a reserved name is refused before anything is written
    if not is_published(source):
        raise mistaken(source, "published folder")
    frame = checked_frame(source)
    with workspace.lock(), WritableStore(workspace) as store:
        if not may_import(source, name, store):
            raise UsageError(f"{source}: another run in {workspace} is called '{name}'; choose another with --name")
        return _take(frame, source, store.workspace.run_folder(name), name)


def checked_frame(source: Path) -> pd.DataFrame:
    """The frame of a published folder. Raises StoreError where it cannot be read or a row of it contradicts itself."""
    frame = published_frame(source)
    wrong = [words for words in row_faults(frame) if words]
    if wrong:
        raise StoreError(f"{source}: {len(wrong)} rows contradict themselves (the first: {wrong[0]}); have it "
                         "published again")
    return frame


def take_import(source: Path, name: str, store: Store) -> int:
    """Take a published folder in as the run `name`, which `may_import` allows; returns the number of its rows. The
    caller holds the workspace's lock."""
    return _take(checked_frame(source), source, store.workspace.run_folder(name), name)


def _take(frame: pd.DataFrame, source: Path, target: Path, name: str) -> int:
    if is_published(target) and _is_whole(target) and _is_readable(target):
        return len(frame)
    settings, environment = read_settings(source / "settings.json").model_dump(), read_environment(source / _FILES[3])
    plan = read_text(source / "plan.toml", RECORD)
    settings.setdefault("imported", {"from": source.absolute().name, "sha256": _sha256(source),
                                     "on": datetime.now(UTC).isoformat(timespec="seconds")})  # fmt: skip
    said = f"imported: measured on {_hosts(frame, environment)}, not in this workspace"
    for codec in settings["codecs"].values():
        note = str(codec.get("note", ""))
        codec["note"] = note if "imported: " in note else "; ".join(filter(None, [note, said]))
    with whole_folder(target) as part:
        frame.assign(run=name).astype({"run": "category"}).to_parquet(part / PUBLISHED, index=False)
        (part / "plan.toml").write_text(plan, encoding="utf-8")
        (part / "settings.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
        (part / "environment.json").write_text(json.dumps(environment, indent=1), encoding="utf-8")
    return len(frame)


def _hosts(frame: pd.DataFrame, environment: dict[str, Any]) -> str:
    hosts = [str(session["host"]) for session in environment["sessions"] if session.get("host")]
    hosts += [str(host) for host in frame["host"].dropna().unique()]
    return ", ".join(sorted(set(hosts))) or "a machine without a name"


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _FILES)


def _is_readable(folder: Path) -> bool:
    """Tells whether benchbox can read the table of an imported run. An import replaces a run with a damaged table."""
    try:
        return not published_frame(folder).empty
    except StoreError:
        return False


def _origin(folder: Path) -> dict[str, Any]:
    """Where an imported run is from; empty for a published folder that was not imported."""
    found = (read_settings(folder / "settings.json").model_extra or {}).get("imported")
    return found if isinstance(found, dict) else {}


def _sha256(folder: Path) -> str:
    with (folder / PUBLISHED).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
