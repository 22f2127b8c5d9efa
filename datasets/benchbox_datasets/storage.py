"""Where data sets are on disk, the lock that records checksums of their files, and errors of writing them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Annotated

from pydantic import Field

from benchbox.errors import DatasetError
from benchbox_datasets.manifest import (
    MAX_MANIFEST_BYTES,
    FileEntry,
    FileName,
    Manifest,
    Sha256,
    Size,
    StrictModel,
    validate,
)

LOCK_NAME = "benchbox-lock.json"
CHUNK = 1 << 20


class LockedArchive(StrictModel):
    """The archive as it was when first fetched."""

    name: str
    bytes: Size
    sha256: Sha256


class LockedFile(StrictModel):
    """A file as it was when first fetched."""

    file: FileName
    bytes: Size
    sha256: Sha256


class Lock(StrictModel):
    """The checksums that the first fetch found and the manifest lacks; later fetches are checked against them.

    `origin` is the address that the files came from, or "disk" if the user had them.
    """

    id: str
    origin: str
    archive: LockedArchive | None = None
    files: Annotated[tuple[LockedFile, ...], Field(strict=False)] = ()


def data_home() -> Path:
    """The folder of all data sets: ``$BENCHBOX_DATA``, else ``benchbox/datasets`` in the user's cache folder
    (``$XDG_CACHE_HOME`` if it is absolute, as the XDG base directory specification requires, else ``~/.cache``)."""
    given = os.environ.get("BENCHBOX_DATA")
    try:
        if given:
            return Path(os.path.abspath(Path(given).expanduser()))
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return (cache if cache.is_absolute() else Path.home() / ".cache") / "benchbox" / "datasets"
    except RuntimeError as error:  # no home folder known
        raise DatasetError("no home folder is known: set BENCHBOX_DATA to a folder for data sets") from error


def read_lock(folder: Path) -> Lock | None:
    """The lock in `folder`, or None if nothing was fetched yet; raises DatasetError if it is damaged."""
    path = folder / LOCK_NAME
    try:
        with path.open("rb") as file:
            table = json.loads(file.read(MAX_MANIFEST_BYTES + 1))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: damaged; remove it and fetch the data set again") from error
    return validate(Lock, table, f"{path} (remove it and fetch the data set again)")


def write_lock(folder: Path, lock: Lock) -> None:
    """Replace the lock in one step: a reader sees the old one or the new one, never a part."""
    part = folder / (LOCK_NAME + ".part")
    part.write_text(lock.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
    part.replace(folder / LOCK_NAME)


def entries(manifest: Manifest, lock: Lock | None) -> tuple[FileEntry, ...]:
    """The files of the set in order, each with all that manifest and lock know of it; empty if neither lists any."""
    known = {locked.file: locked for locked in lock.files} if lock else {}
    if not manifest.files:
        return tuple(FileEntry(file=f.file, bytes=f.bytes, sha256=f.sha256) for f in known.values())
    merged = []
    for entry in manifest.files:
        locked = known.get(entry.file)
        if locked and entry.sha256 is None:
            entry = entry.model_copy(update={"sha256": locked.sha256, "bytes": entry.bytes or locked.bytes})
        merged.append(entry)
    return tuple(merged)


def problems(folder: Path, files: Sequence[FileEntry]) -> list[str]:
    """A phrase for each of `files` that is missing from `folder` or has the wrong size, in order. Reads no contents."""
    found = []
    for entry in files:
        path = folder / entry.file
        try:
            size = path.stat().st_size
        except OSError:
            found.append(f"{entry.file} is missing")
            continue
        if not path.is_file():
            found.append(f"{entry.file} is not a file")
        elif entry.bytes is not None and size != entry.bytes:
            found.append(f"{entry.file} has {size} bytes, not {entry.bytes}")
    return found


def is_right(path: Path, entry: FileEntry) -> bool:
    """Whether `path` has the checksum that `entry` promises; False if it promises none."""
    try:
        return entry.sha256 is not None and path.is_file() and sha256_of(path) == entry.sha256
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file's contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_all(file: FileIO, data: bytes) -> None:
    """Write all of `data` to an unbuffered file, so that a full disk raises here and not when the file is closed."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest):]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an OSError from writing below `folder` into a DatasetError that says what to do."""
    try:
        yield
    except OSError as error:
        raise DatasetError(_write_failure(folder, error)) from error


def _write_failure(folder: Path, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (f"no room to write in {folder} ({reason}; {_free(folder)} free): make room, or set BENCHBOX_DATA to a "
                "folder on a larger disk; files that are there already are kept")
    if error.errno == errno.ENAMETOOLONG:
        return (f"cannot write in {folder} ({reason}): a file of the data set has a longer name than the disk takes; "
                "set BENCHBOX_DATA to a folder with a shorter path, or get the data set elsewhere")
    return f"cannot write in {folder} ({reason}): set BENCHBOX_DATA to a folder that you may write in"


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:.0f} MB"
    except OSError:
        return "an unknown size"
