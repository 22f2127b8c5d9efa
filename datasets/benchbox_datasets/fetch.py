"""Fetches a data set into its folder: from the network, or from a folder or archive that the user has."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchbox.dataset import FetchProgress
from benchbox.errors import ChecksumError, DatasetError
from benchbox_datasets.archive import is_archive, unpack
from benchbox_datasets.download import Patience, Wanted, download
from benchbox_datasets.folder import walk
from benchbox_datasets.intake import Intake
from benchbox_datasets.manifest import FileEntry, Manifest
from benchbox_datasets.storage import LockedArchive, LockedFile, is_right, read_lock, sha256_of, writing

_STAGING = ".unpack-"


def fetch(
    manifest: Manifest, folder: Path, source: Path | None, progress: FetchProgress, patience: Patience | None = None
) -> list[Path]:
    """Bring what `folder` lacks of the set, from `source` (a folder or an archive) or from its addresses.

    Files whose checksum is right already are not touched.

    Returns:
        The files now in place, in the set's order.

    Raises:
        ChecksumError: a file is not the one that the manifest, or an earlier fetch, promises.
        DatasetError: anything else went wrong. Files that are right stay, so the next call has less to do.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(folder, manifest):
            intake = Intake(manifest, folder, read_lock(folder), progress)
            if not intake.files or intake.lacking():
                _Fetch(intake, patience or Patience()).run(source)
            return [folder / entry.file for entry in intake.files]
    except OSError as error:  # from reading: `writing` has turned those from writing into DatasetError
        where = error.filename or source or folder
        raise DatasetError(f"{where} cannot be read ({error.strerror}): see to it and run "
                           f"`benchbox fetch {manifest.id}` again") from error


@contextmanager
def _alone(folder: Path, manifest: Manifest) -> Iterator[None]:
    """Allow one fetch at a time into a folder, and remove what a killed one left half unpacked."""
    with writing(folder):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        with writing(folder):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DatasetError(f"another fetch of {manifest.id} is under way in {folder}; wait for it") from error
            for left in folder.glob(_STAGING + "*"):
                shutil.rmtree(left)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class _Fetch:
    """One fetch: finds the files that `intake` puts into place."""

    intake: Intake
    patience: Patience

    @property
    def manifest(self) -> Manifest:
        return self.intake.manifest

    def run(self, source: Path | None) -> None:
        if source is not None:
            self._from_disk(source)
        elif self.manifest.archive:
            self._from_archive()
        elif self.manifest.source:
            self._from_addresses()
        else:
            raise DatasetError(f"no address is known for {self.manifest.id}: {self.intake.from_elsewhere()}")

    # --- from the network

    def _from_addresses(self) -> None:
        folder = self.intake.folder
        for entry in self.intake.lacking():
            assert self.manifest.source is not None
            target = folder / entry.file
            with writing(folder):
                target.parent.mkdir(parents=True, exist_ok=True)
            urls = [url.replace("{file}", quote(entry.file)) for url in self.manifest.source.urls]
            wanted = Wanted(urls, target, entry.bytes, entry.sha256, self.intake.remedy())
            got = download(wanted, self.intake.progress, self.patience)
            self.intake.record([LockedFile(file=entry.file, bytes=target.stat().st_size, sha256=got)], urls[0])

    def _from_archive(self) -> None:
        archive = self.manifest.archive
        assert archive is not None
        locked = self.intake.lock.archive if self.intake.lock else None
        size = archive.bytes or (locked.bytes if locked else None)
        promised = archive.sha256 or (locked.sha256 if locked else None)
        path = self.intake.folder / archive.name
        got = promised or ""
        if not is_right(path, FileEntry(file=archive.name, sha256=promised)):
            wanted = Wanted(archive.urls, path, size, promised, self.intake.remedy())
            got = download(wanted, self.intake.progress, self.patience)
        try:
            self._unpack(path, archive.urls[0], LockedArchive(
                name=archive.name, bytes=path.stat().st_size, sha256=got))
        except DatasetError:
            if promised is None:  # nothing vouches for the archive: the next fetch downloads it again
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)

    # --- from the user's disk

    def _from_disk(self, source: Path) -> None:
        if os.path.isdir(source):
            archive = self._archive_in(source)
            if archive is None:
                self.intake.take(source, self.intake.copy, "disk", None)
                return
            source = archive
        elif not os.path.exists(source):
            raise DatasetError(f"{source} does not exist: {self.intake.from_elsewhere()}")
        elif not is_archive(source):
            raise DatasetError(f"{source} is neither a folder nor a zip or tar archive: {self.intake.from_elsewhere()}")
        self._unpack(source, "disk", self._checked(source))

    def _archive_in(self, folder: Path) -> Path | None:
        name = self.manifest.archive.name if self.manifest.archive else None
        return next((path for path in walk(folder)[0] if path.name == name), None)

    def _checked(self, path: Path) -> LockedArchive | None:
        """Check the user's archive against the publisher's checksum; None if the files have checksums of their own."""
        archive, files = self.manifest.archive, self.intake.files
        if archive is None or (files and all(entry.sha256 for entry in files)):
            return None
        got = sha256_of(path)
        if archive.sha256 not in (None, got):
            raise ChecksumError(f"{path}: SHA-256 is {got}, expected {archive.sha256}: give the publisher's archive, "
                                "or unpack it, if you trust it, and give the folder")
        return LockedArchive(name=archive.name, bytes=path.stat().st_size, sha256=got)

    # --- from either

    def _unpack(self, path: Path, origin: str, archive: LockedArchive | None) -> None:
        """Unpack the archive at `path` into a folder of its own and take the files of the set from there."""
        folder = self.intake.folder
        with writing(folder):
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
        try:
            unpack(path, staging, self.intake.wanted())
            self.intake.take(staging, self.intake.move, origin, archive)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
