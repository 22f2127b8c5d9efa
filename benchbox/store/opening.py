"""Connections to a workspace's database: to write, or to read without changing a byte of the workspace."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchbox.errors import StoreError
from benchbox.store.tables import VERSION, migrate
from benchbox.store.workspace import Workspace, shown

MAPPED = 2**31
"""Most bytes of the database file that SQLite maps into memory for reading; on local disks only."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "gpfs", "ceph", "fuse.sshfs", "afs"})
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


@contextmanager
def to_write(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """The database, created if absent and migrated to this version. The caller holds the workspace's lock.

    Raises:
        StoreError: it cannot be written, is damaged, or was written by a later benchbox.
    """
    try:
        workspace.folder.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(workspace.database)
    except OSError as error:
        raise StoreError(f"cannot write in {workspace}: {error.strerror}; choose another --workspace") from error
    except sqlite3.Error as error:
        raise StoreError(_message(workspace.database, error)) from error
    try:
        try:
            journal = "DELETE" if _on_network(workspace.folder) else "WAL"
            db.execute(f"PRAGMA journal_mode={journal}")
            db.execute("PRAGMA synchronous=NORMAL")  # safe if any process dies, not if the power fails
            _check_version(db, workspace.database)
            migrate(db)
        except sqlite3.Error as error:
            raise StoreError(_message(workspace.database, error)) from error
        yield db
    finally:
        db.close()


@contextmanager
def to_read(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """The database as it is now, for reading.

    SQLite creates files next to a database in WAL mode even when it only reads it. So a database that nobody writes is
    opened as immutable, and one that a killed run left with a journal is read from a copy in a temporary folder.

    Raises:
        StoreError: there is none, it is damaged, was written by a later benchbox, or changed while it was read.
    """
    path = workspace.database
    if not path.exists():
        raise StoreError(f"there are no results in {workspace}; `benchbox run` makes them there")
    journals = [journal for end in ("-wal", "-journal") if _holds_data(journal := path.with_name(path.name + end))]
    try:
        if workspace.busy():
            with _connected(path, "?mode=ro") as db:
                yield db
        elif journals:
            with tempfile.TemporaryDirectory(prefix="benchbox-") as folder, \
                    _connected(_copied([path, *journals], Path(folder)), "") as db:  # fmt: skip
                yield db
        else:
            before = path.stat()
            with _connected(path, "?mode=ro&immutable=1") as db:
                if not _on_network(workspace.folder):
                    db.execute(f"PRAGMA mmap_size={MAPPED}")
                yield db
            after = path.stat()
            if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
                raise StoreError(f"{shown(path)} changed while it was read; run the command again")
    except sqlite3.Error as error:
        raise StoreError(_message(path, error)) from error


@contextmanager
def empty() -> Iterator[sqlite3.Connection]:
    """An empty database in memory."""
    db = sqlite3.connect(":memory:")
    try:
        migrate(db)
        yield db
    finally:
        db.close()


def _copied(files: Sequence[Path], folder: Path) -> Path:
    """Copy `files` into `folder`; returns the copy of the first."""
    try:
        copies = [Path(shutil.copy(file, folder)) for file in files]
    except OSError as error:
        raise StoreError(f"{shown(files[0])}: a killed run left a journal, and reading it needs a copy in {folder}, "
                         f"which failed: {error.strerror}; make room there or set TMPDIR") from error
    return copies[0]


@contextmanager
def _connected(path: Path, parameters: str) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path.resolve().as_uri() + parameters, uri=True)
    try:
        db.execute("PRAGMA temp_store=MEMORY")
        _check_version(db, path)
        yield db
    finally:
        db.close()


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise StoreError(f"{shown(path)} was written by a later benchbox (tables {found}); upgrade benchbox")


def _message(path: Path, error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorname", "") in _DAMAGED:
        return f"{shown(path)}: is damaged ({error}); move it away or choose another with --workspace"
    return f"{shown(path)}: {error}; check the disk and the folder's permissions or choose another with --workspace"


def _holds_data(journal: Path) -> bool:
    try:
        return journal.stat().st_size > 0
    except OSError:
        return False


def _on_network(folder: Path) -> bool:
    """True for a folder on a network file system, where SQLite's write-ahead log is not safe."""
    folder = folder.resolve()
    mounts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(mounts, key=lambda p: len(p.mountpoint)).fstype in _NETWORK if mounts else False
