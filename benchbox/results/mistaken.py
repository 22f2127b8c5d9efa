"""Says what a path is that was given where a run, a published folder or a workspace was expected, and what to name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from benchbox.errors import StoreError
from benchbox.store import PUBLISHED, Workspace, shown

Expected: TypeAlias = Literal["run", "published folder", "workspace"]

RUN_FILES = ("plan.toml", PUBLISHED)
"""Files of which the folder of a run in a workspace has one."""

_REMEDY: dict[Expected, str] = {
    "run": "name a run of `benchbox list runs`, its folder, or a folder that `benchbox publish` wrote",
    "published folder": "name a folder that `benchbox publish` wrote",
    "workspace": "name the folder that `benchbox run --workspace` wrote",
}
_LACKING: dict[Expected, str] = {"run": "is a folder without a run", "published folder": f"no {PUBLISHED} there",
                                 "workspace": "is no workspace, it has no store.sqlite"}  # fmt: skip
_OTHERWISE = {("published folder", "workspace"): "which `benchbox import` takes in",
              ("run", "published folder"): "which `benchbox publish` makes a folder of",
              ("workspace", "published folder"): "which `benchbox merge` takes in"}  # fmt: skip
"""(what was given, what was expected) -> the command for what was given."""


def mistaken(path: Path, expected: Expected) -> StoreError:
    """The error that `path` is not what was expected there: it says what it is or lies in, and the remedy."""
    kind, folder = _found(path)
    if not kind:
        return StoreError(f"{path}: {_unknown(path, expected)}; {_REMEDY[expected]}")
    if kind == "run" and expected == "workspace":
        kind, folder = "workspace", folder.parent
    what = f"is a {kind}" if folder == path.absolute() else f"lies in the {kind} {shown(folder)}"
    if (kind, expected) in _OTHERWISE:
        return StoreError(f"{path}: {what}, {_OTHERWISE[kind, expected]}; {_REMEDY[expected]}")
    if kind == "workspace" and expected == "run":
        runs = sorted({file.parent for name in RUN_FILES for file in folder.glob(f"*/{name}")})
        known = ", ".join(shown(run) for run in runs) or "none yet"
        return StoreError(f"{path}: {what}, and is no run; its runs are: {known}")
    return StoreError(f"{path}: {what}; name that")


def _found(path: Path) -> tuple[str, Path]:
    """Find the nearest folder of a known kind that is or holds `path`; returns its kind and itself, ``("", path)`` if
    there is none."""
    here = path.absolute()
    for folder in (here, *here.parents):
        if (folder / PUBLISHED).is_file():
            return "published folder", folder
        if Workspace.at(folder).database.is_file():
            return "workspace", folder
        if (folder / "plan.toml").is_file() and Workspace.at(folder.parent).database.is_file():
            return "run", folder
    return "", path


def _unknown(path: Path, expected: Expected) -> str:
    if not path.exists():
        return "there is no such file or folder"
    if path.is_file():
        return "is a file"
    is_report = expected == "run" and (path / "index.html").is_file()
    return "is a folder of reports without their run" if is_report else _LACKING[expected]
