"""The folder that holds runs and measurements: the path of each thing in it, and the lock of a run at work there."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchbox.errors import PlanError, StoreError
from benchbox.store.streams import Streams

PUBLISHED = "results.parquet"
"""The file that makes a folder a published run, which needs no store."""

_DATABASE, _STREAMS, _SPOOL, _LOCK = "store.sqlite", "streams", "spool", "lock"
_RESERVED = frozenset({_STREAMS, _SPOOL, _LOCK, *(_DATABASE + end for end in ("", "-journal", "-wal", "-shm"))})


@dataclass(frozen=True)
class Workspace:
    """A workspace; made by `Workspace.at`.

    Attributes:
        folder: absolute path, so that it stays the same when the current folder changes.
    """

    folder: Path

    @classmethod
    def at(cls, folder: str | Path) -> Workspace:
        """The workspace in `folder`; a relative path starts from the folder that is current now."""
        return cls(Path(folder).absolute())

    @property
    def database(self) -> Path:
        """The database file, which holds all measurements except the streams."""
        return self.folder / _DATABASE

    @property
    def streams(self) -> Streams:
        """The stored streams."""
        return Streams(self.folder / _STREAMS)

    @property
    def spool(self) -> Path:
        """The folder to which workers write measurements until these are in the database."""
        return self.folder / _SPOOL

    def streams_in_spool(self) -> set[str]:
        """SHA-256 of every stream that is named in what a killed run left there; other digests may be among them."""
        files = (path for path in self.spool.rglob("*") if path.is_file())
        return {sha256.decode() for path in files for sha256 in re.findall(rb"[0-9a-f]{64}", path.read_bytes())}

    def run_folder(self, run: str) -> Path:
        """The folder of the run of that name: its plan, settings, environment and reports.

        Raises:
            PlanError: the workspace uses that name itself.
        """
        if run.lower() in _RESERVED:
            raise PlanError(f"a run cannot be called '{run}': the workspace uses that name; choose another")
        return self.folder / run

    def imported_runs(self) -> list[str]:
        """The names of the runs that were imported, sorted."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{PUBLISHED}"))

    def own_run_folder(self, run: str) -> Path:
        """The folder of a run that is to be measured here.

        Raises:
            PlanError: the workspace uses that name itself, or an imported run has it.
        """
        folder = self.run_folder(run)
        if (folder / PUBLISHED).is_file():
            raise PlanError(f"a run cannot be called '{run}': an imported run in {self} is; choose another name")
        return folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the workspace for writing, one run at a time. The system releases the lock however the process ends.

        Raises:
            StoreError: another run holds it, or it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / _LOCK).open("a")
        except OSError as error:
            raise StoreError(f"cannot write in {self}: {error.strerror}; choose another --workspace") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(f"another run is at work in {self}; wait for it or choose another --workspace"
                                 ) from None
            yield

    def busy(self) -> bool:
        """True if a run is at work here now. Writes nothing."""
        try:
            with (self.folder / _LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # no run was ever here, or its lock may not be read
            return False
        return False

    def __str__(self) -> str:
        return shown(self.folder)


def locate(run: str | Path, workspace: Workspace) -> tuple[Workspace, str]:
    """(workspace, name) of a run given by its name or by its folder, e.g. ``runs/demo``."""
    path = Path(run)
    if len(path.parts) > 1:
        return Workspace.at(path.parent), path.name
    return workspace, str(run)


def shown(path: Path) -> str:
    """`path` for messages: relative to the current folder if it is below that, else absolute."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
