"""Connections to a workspace's database: to write, or to read without changing a byte of the workspace."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchbox.errors import StoreError
from benchbox.files import what_to_do
from benchbox.store.tables import VERSION, DamagedRows, migrate
from benchbox.store.workspace import Workspace, shown

MAPPED = 2**31
"""Most bytes of the database file that SQLite maps into memory for reading; on local disks only."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "gpfs", "ceph", "fuse.sshfs", "afs"})
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CORRUPT_INDEX", "SQLITE_CORRUPT_SEQUENCE"})
_SIGNS = ("no such table", "no such column", "Could not decode", "malformed", "unsupported file format")
"""Of damage, in messages of the errors that SQLite has no name of its own for."""
_IMMUTABLE = "?mode=ro&immutable=1"
_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE"})


@contextmanager
def to_write(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """The database, created if absent and migrated to this version. The caller holds the workspace's lock.

    Raises:
        StoreError: it cannot be written, is damaged, or was written by a later benchbox.
    """
    try:
        workspace.folder.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(workspace.database.as_uri(), uri=True)  # so that others can be attached by their URI
    except OSError as error:
        raise StoreError(f"cannot write in {workspace}: {error.strerror}; choose another --workspace") from error
    except sqlite3.Error as error:
        raise failure(workspace, error) from error
    try:
        journal = "DELETE" if _on_network(workspace.folder) else "WAL"
        db.execute(f"PRAGMA journal_mode={journal}")
        db.execute("PRAGMA synchronous=NORMAL")  # safe if any process dies, not if the power fails
        _check_version(db, workspace.database)
        migrate(db)
        yield db
    except sqlite3.Error as error:
        raise failure(workspace, error) from error
    finally:
        db.close()


@contextmanager
def to_read(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """The database as it is now, for reading. Raises StoreError as `as_it_is`."""
    with as_it_is(workspace) as uri, _connected(uri, workspace.database) as db:
        if uri.endswith(_IMMUTABLE) and not _on_network(workspace.folder):
            db.execute(f"PRAGMA mmap_size={MAPPED}")
        yield db


@contextmanager
def as_it_is(workspace: Workspace) -> Iterator[str]:
    """The URI by which SQLite reads the database as it is now, without changing a byte of the workspace.

    SQLite creates files next to a database in WAL mode even when it only reads it. So a database that nobody writes is
    opened as immutable, and one that a killed run left with a journal is read from a copy in a temporary folder.

    Raises:
        StoreError: there is none, it is damaged, was written by a later benchbox, or changed while it was read.
    """
    path = workspace.database
    _require(workspace)
    busy, before = workspace.busy(), _state(path)
    try:
        if busy:
            yield path.resolve().as_uri() + "?mode=ro"
        elif journals := [file for file, size, _ in before[1:] if size]:
            with tempfile.TemporaryDirectory(prefix="benchbox-") as folder:
                yield _copied([path, *journals], Path(folder)).resolve().as_uri()
        else:
            yield path.resolve().as_uri() + _IMMUTABLE
            if _state(path) != before:
                raise _changed(path)
    except sqlite3.Error as error:
        raise failure(workspace, error) if busy or _state(path) == before else _changed(path) from error


def _require(workspace: Workspace) -> None:
    """Raise StoreError where there is no database, or it may not be read."""
    path = workspace.database
    try:
        if path.stat().st_size:
            return
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError(f"{shown(path)}: {error.strerror}; check the folder's permissions or choose another with "
                         "--workspace") from error
    lost = f", though streams are there; put {path.name} back, or" if workspace.streams.any() else ";"
    raise StoreError(f"there are no results in {workspace}{lost} `benchbox run` makes them there")


def _state(path: Path) -> list[tuple[Path, int, int]]:
    """(file, size, time of change) of a database and of its journals; 0 where there is none."""
    found = []
    for file in (path.with_name(path.name + end) for end in ("", "-wal", "-journal")):
        try:
            state = file.stat()
        except OSError:
            found.append((file, 0, 0))
        else:
            found.append((file, state.st_size, state.st_mtime_ns))
    return found


def _changed(path: Path) -> StoreError:
    return StoreError(f"{shown(path)} changed while it was read; run the command again")


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
    before = _state(files[0])
    try:
        copies = [Path(shutil.copy(file, folder)) for file in files]
    except FileNotFoundError as error:  # a journal goes when the last who uses the database lets go of it
        raise _changed(files[0]) from error
    except OSError as error:
        raise StoreError(f"{shown(files[0])}: a killed run left a journal, and reading it needs a copy in {folder}, "
                         f"which failed: {error.strerror}; {what_to_do(error)} there or set TMPDIR") from error
    if _state(files[0]) != before:
        raise _changed(files[0])
    return copies[0]


@contextmanager
def _connected(uri: str, path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(uri, uri=True)
    try:
        db.execute("PRAGMA temp_store=MEMORY")
        _check_version(db, path)
        yield db
    finally:
        db.close()


def _check_version(db: sqlite3.Connection, path: Path, schema: str = "main") -> None:
    (found,) = db.execute(f"PRAGMA {schema}.user_version").fetchone()
    if found > VERSION:
        raise StoreError(f"{shown(path)} was written by a later benchbox (tables {found}); upgrade benchbox")


@contextmanager
def attached(db: sqlite3.Connection, workspace: Workspace, schema: str) -> Iterator[Callable[[], None]]:
    """The database of another workspace as it is now, attached to `db` under the name `schema`; yields what is to be
    called before anything that was read there is committed. Raises StoreError as `as_it_is`, as does the call."""
    path = workspace.database
    before = _state(path)
    with as_it_is(workspace) as uri:

        def still_the_same() -> None:
            if uri.endswith(_IMMUTABLE) and _state(path) != before:
                raise _changed(path)

        db.execute("ATTACH ? AS " + schema, (uri,))
        try:
            _check_version(db, path, schema)
            yield still_the_same
        finally:
            db.rollback()  # what is open would hold it
            with suppress(sqlite3.Error):  # so would a cursor of a block that ended early
                db.execute("DETACH " + schema)


def failure(workspace: Workspace, error: sqlite3.Error) -> StoreError:
    """What SQLite reports, with the file and the remedy. Only a damaged database is to be moved away."""
    return StoreError(_words(workspace.database, error))


def _words(path: Path, error: sqlite3.Error) -> str:
    name, text = getattr(error, "sqlite_errorname", ""), str(error)
    if name in _DAMAGED or isinstance(error, DamagedRows) or any(sign in text for sign in _SIGNS):
        return f"{shown(path)}: is damaged ({text}); move it away or choose another with --workspace"
    if name in _FULL:
        return f"{shown(path)}: {text}; make room and run again: what was measured before is kept"
    return f"{shown(path)}: {text}; check the disk and the folder's permissions or choose another with --workspace"


def _on_network(folder: Path) -> bool:
    """True for a folder on a network file system, where SQLite's write-ahead log is not safe."""
    folder = folder.resolve()
    mounts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(mounts, key=lambda p: len(p.mountpoint)).fstype in _NETWORK if mounts else False
