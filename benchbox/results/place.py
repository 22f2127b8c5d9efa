"""The place of a run: in a workspace, or in a published folder that needs no store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchbox.store import Workspace, locate

PUBLISHED = "results.parquet"
"""The file that makes a folder a published run, which needs no store."""


@dataclass(frozen=True)
class RunPlace:
    """The place of a run.

    Attributes:
        folder: absolute path of the folder with the run's plan, settings and environment.
        name: name of the run; that of the folder for a published run.
        workspace: the workspace that holds the results; None for a published folder, which holds them itself.
    """

    folder: Path
    name: str
    workspace: Workspace | None

    @property
    def taken(self) -> list[Path]:
        """Folders that no published run may take the place of."""
        place = self.workspace
        return [self.folder] if place is None else [self.folder, place.folder, place.streams.folder, place.spool]

    @property
    def sources(self) -> list[Path]:
        """The files that its results are read from."""
        table = self.folder / PUBLISHED if self.workspace is None else self.workspace.database
        return [table, *(self.folder / name for name in ("plan.toml", "settings.json", "environment.json"))]


def find_run(run: str | Path, workspace: Workspace) -> RunPlace:
    """The place of a run given by name, by its folder in a workspace, or as a published folder."""
    if is_published(run):
        return RunPlace(Path(run).absolute(), Path(run).absolute().name, None)
    workspace, name = locate(run, workspace)
    return RunPlace(workspace.run_folder(name), name, workspace)


def is_published(run: str | Path) -> bool:
    """True if `run` is the folder of a published run."""
    return (Path(run) / PUBLISHED).is_file()
