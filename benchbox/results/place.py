"""The place of a run: in a workspace, or in a published folder that needs no store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchbox.errors import StoreError
from benchbox.results.mistaken import RUN_FILES, mistaken
from benchbox.store import MARK, PUBLISHED, Store, Workspace, locate


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
    """The place of a run given by name (``demo``; ``demo~1`` for what it was before its codec changed), by its folder
    in a workspace, or as a published folder or the table in one. An imported run is a published folder in a workspace.

    Raises:
        StoreError: there is no such former run, or `run` is the path of something else.
    """
    if Path(run).name == PUBLISHED and Path(run).is_file():
        run = Path(run).parent
    if is_published(run):
        return RunPlace(Path(run).absolute(), Path(run).absolute().name, None)
    workspace, name = run_named(run, workspace)
    if name in workspace.imported_runs():
        return RunPlace(workspace.run_folder(name), name, None)
    return RunPlace(_folder(name, workspace), name, workspace)


def run_named(run: str | Path, workspace: Workspace) -> tuple[Workspace, str]:
    """(workspace, name) of a run given by name or by its folder in a workspace. It need not be there.

    Raises:
        StoreError: `run` is the path of something else.
    """
    place, name = locate(run, workspace)
    path = Path(run)
    is_path = path.exists() or (len(path.parts) > 1 and not place.database.is_file())
    if is_path and MARK not in name and not any((place.folder / name / file).is_file() for file in RUN_FILES):
        raise mistaken(path, "run")
    return place, name


def _folder(name: str, workspace: Workspace) -> Path:
    """The folder of a run, or that of a former run, which the store knows."""
    if MARK not in name:
        return workspace.run_folder(name)
    with Store(workspace) as store:
        folder = store.former_folder(name)
        if folder is None:
            raise no_run(name, store)
        return workspace.folder / folder


def no_run(name: str, store: Store) -> StoreError:
    """The error that no run is called `name`, with the names that there are."""
    names = ", ".join([*(run for run, _ in store.runs()), *store.workspace.imported_runs()]) or "none yet"
    return StoreError(f"no run is called '{name}' in {store.workspace}; there are: {names}")


def is_published(run: str | Path) -> bool:
    """True if `run` is the folder of a published run."""
    return (Path(run) / PUBLISHED).is_file()
