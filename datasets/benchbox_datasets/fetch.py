"""Brings the files of a manifest into their folder: from the network, or from what the user has on disk."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from benchbox.dataset import FetchProgress
from benchbox.errors import ChecksumError, DatasetError
from benchbox_datasets.archive import is_archive, unpack
from benchbox_datasets.download import Patience, Wanted, download
from benchbox_datasets.folder import walk
from benchbox_datasets.manifest import FileEntry, Manifest
from benchbox_datasets.storage import (
    CHUNK,
    LOCK_NAME,
    Lock,
    LockedArchive,
    LockedFile,
    entries,
    is_right,
    read_lock,
    sha256_of,
    write_all,
    write_lock,
    writing,
)

_STAGING = ".unpack-"


def fetch(
    manifest: Manifest, folder: Path, source: Path | None, progress: FetchProgress, patience: Patience | None = None
) -> list[Path]:
    """Bring what `folder` lacks of the set, from `source` (a folder or an archive) or from its addresses.

    Returns the files now in place, in the set's order. Files whose sum is right already are not touched.

    Raises:
        ChecksumError: a file is another one than the manifest, or an earlier fetch, says.
        DatasetError: anything else; what was right is kept, so the next call has less to do.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(folder, manifest):
            job = _Job(manifest, folder, read_lock(folder), progress, patience or Patience())
            if not job.files or job.lacking():
                job.run(source)
            return [folder / entry.file for entry in job.files]
    except OSError as error:  # what was being read: all writing speaks for itself
        where = error.filename or source or folder
        raise DatasetError(f"{where} cannot be read ({error.strerror}): see to it and run "
                           f"`benchbox fetch {manifest.id}` again") from error


@contextmanager
def _alone(folder: Path, manifest: Manifest) -> Iterator[None]:
    """One fetch at a time into a folder; clears what a killed one left half unpacked."""
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


@dataclass
class _Job:
    """One fetch under way."""

    manifest: Manifest
    folder: Path
    lock: Lock | None
    progress: FetchProgress
    patience: Patience

    @property
    def files(self) -> tuple[FileEntry, ...]:
        return entries(self.manifest, self.lock)

    def lacking(self) -> list[FileEntry]:
        return [entry for entry in self.files if not is_right(self.folder / entry.file, entry)]

    def run(self, source: Path | None) -> None:
        if source is not None:
            self._from_disk(source)
        elif self.manifest.archive:
            self._from_archive()
        elif self.manifest.source:
            self._from_addresses()
        else:
            raise DatasetError(f"no address is known for {self.manifest.id}: {self._with_from()}")

    # --- the network

    def _from_addresses(self) -> None:
        for entry in self.lacking():
            assert self.manifest.source is not None
            target = self.folder / entry.file
            with writing(self.folder):
                target.parent.mkdir(parents=True, exist_ok=True)
            urls = [url.replace("{file}", quote(entry.file)) for url in self.manifest.source.urls]
            wanted = Wanted(urls, target, entry.bytes, entry.sha256, self._remedy())
            got = download(wanted, self.progress, self.patience)
            self._record([LockedFile(file=entry.file, bytes=target.stat().st_size, sha256=got)], urls[0])

    def _from_archive(self) -> None:
        archive = self.manifest.archive
        assert archive is not None
        locked = self.lock.archive if self.lock else None
        size = archive.bytes or (locked.bytes if locked else None)
        promised = archive.sha256 or (locked.sha256 if locked else None)
        path = self.folder / archive.name
        got = promised or ""
        if not is_right(path, FileEntry(file=archive.name, sha256=promised)):
            got = download(Wanted(archive.urls, path, size, promised, self._remedy()), self.progress, self.patience)
        try:
            self._unpack_and_take(path, archive.urls[0], LockedArchive(
                name=archive.name, bytes=path.stat().st_size, sha256=got))
        except DatasetError:
            if promised is None:  # nobody vouches for it: come again from the start
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)

    # --- what the user has

    def _from_disk(self, source: Path) -> None:
        if os.path.isdir(source):
            archive = self._archive_in(source)
            if archive is None:
                self._take(source, self._take_copy, "disk", None)
                return
            source = archive
        elif not os.path.exists(source):
            raise DatasetError(f"{source} does not exist: {self._with_from()}")
        elif not is_archive(source):
            raise DatasetError(f"{source} is neither a folder nor a zip or tar archive: {self._with_from()}")
        self._unpack_and_take(source, "disk", self._vouched(source))

    def _archive_in(self, folder: Path) -> Path | None:
        name = self.manifest.archive.name if self.manifest.archive else None
        return next((path for path in walk(folder)[0] if path.name == name), None)

    def _vouched(self, path: Path) -> LockedArchive | None:
        """Check an archive of the user's against the publisher's sum, where the files have no sums of their own."""
        archive = self.manifest.archive
        if archive is None or (self.files and all(entry.sha256 for entry in self.files)):
            return None
        got = sha256_of(path)
        if archive.sha256 not in (None, got):
            raise ChecksumError(f"{path}: SHA-256 is {got}, expected {archive.sha256}: give the publisher's archive, "
                                "or unpack it, if you trust it, and give the folder")
        return LockedArchive(name=archive.name, bytes=path.stat().st_size, sha256=got)

    # --- both

    def _unpack_and_take(self, path: Path, origin: str, archive: LockedArchive | None) -> None:
        names = {PurePosixPath(entry.file).name for entry in self.files}
        with writing(self.folder):
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.folder))
        try:
            unpack(path, staging, lambda name: self._belongs(PurePosixPath(name), names))
            self._take(staging, self._take_over, origin, archive)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _belongs(self, path: PurePosixPath, names: set[str]) -> bool:
        if path.name.startswith("."):
            return False
        return path.name in names if names else fnmatchcase(path.name, self.manifest.select or "*")

    def _take(
        self,
        source: Path,
        take: Callable[[Path, FileEntry], LockedFile],
        origin: str,
        archive: LockedArchive | None,
    ) -> None:
        """Bring the files of the set from anywhere below `source` into place with `take`; record what is new."""
        # __MACOSX: where macOS packs the resource forks of the files
        below = [path for path in walk(source)[0] if "__MACOSX" not in path.relative_to(source).parts]
        if not self.files:
            taken = [take(path, FileEntry(file=path.name)) for path in self._selected(source, below)]
            self._record(taken, origin, archive)
            return
        by_name: dict[str, list[Path]] = {}
        for path in below:
            by_name.setdefault(path.name, []).append(path)
        missing, wrong = [], list[ChecksumError]()
        for entry in self.lacking():
            candidates = by_name.get(PurePosixPath(entry.file).name, [])
            candidates.sort(key=lambda path: not path.as_posix().endswith("/" + entry.file))
            if not candidates:
                missing.append(entry.file)
                continue
            best = next((path for path in candidates if is_right(path, entry)), candidates[0])
            try:
                self._record([take(best, entry)], origin, archive)
            except ChecksumError as error:
                wrong.append(error)
        if wrong:
            raise wrong[0]
        if missing:
            raise DatasetError(f"{source} lacks {len(missing)} of the {len(self.files)} files of {self.manifest.id} "
                               f"({_some(missing)}): {self._with_from()}")

    def _selected(self, source: Path, below: Sequence[Path]) -> list[Path]:
        """The files that belong to a set whose files are not listed, by name; their number must be the set's."""
        chosen: dict[str, Path] = {}
        for path in sorted(path for path in below if self._belongs(PurePosixPath(path.name), set())):
            twin = chosen.setdefault(path.name, path)
            if twin is not path and sha256_of(twin) != sha256_of(path):
                raise DatasetError(f"{twin} and {path} have one name and differ: give a folder with one of them")
        count = self.manifest.count
        if not chosen or (count is not None and len(chosen) != count):
            raise DatasetError(f"{source} holds {len(chosen)} files called {self.manifest.select}, but "
                               f"{self.manifest.id} has {count or 'some'}: {self._with_from()}")
        return [chosen[name] for name in sorted(chosen)]

    def _take_copy(self, path: Path, entry: FileEntry) -> LockedFile:
        target = self.folder / entry.file
        part = target.with_name(target.name + ".part")
        sha = hashlib.sha256()
        try:
            reader = path.open("rb")
        except OSError as error:
            raise DatasetError(f"{path} cannot be read ({error.strerror}): {self._with_from()}") from error
        with writing(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            writer = part.open("wb", buffering=0)
        with reader, writer:
            while chunk := reader.read(CHUNK):
                sha.update(chunk)
                with writing(self.folder):
                    write_all(writer, chunk)
        return self._settle(path, part, entry, sha.hexdigest())

    def _take_over(self, path: Path, entry: FileEntry) -> LockedFile:
        return self._settle(path, path, entry, sha256_of(path))

    def _settle(self, origin: Path, part: Path, entry: FileEntry, got: str) -> LockedFile:
        """Check `part` against `entry` and move it into place."""
        size = part.stat().st_size
        problem = ""
        if entry.sha256 is not None and got != entry.sha256:
            problem = f"SHA-256 is {got}, expected {entry.sha256}"
        elif entry.bytes is not None and size != entry.bytes:
            problem = f"it has {size} bytes, expected {entry.bytes}"
        elif size == 0:
            problem = "it is empty"
        if problem:
            part.unlink()
            raise ChecksumError(f"{origin}: {problem}; it was not taken: {self._with_from()}")
        target = self.folder / entry.file
        with writing(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        self.progress(entry.file, size, size)
        return LockedFile(file=entry.file, bytes=size, sha256=got)

    def _record(self, taken: Sequence[LockedFile], origin: str, archive: LockedArchive | None = None) -> None:
        """Keep the sums that the manifest does not know."""
        promised = {entry.file for entry in self.manifest.files if entry.sha256 is not None}
        known = {locked.file: locked for locked in self.lock.files} if self.lock else {}
        fresh = {locked.file: locked for locked in taken if locked.file not in promised}
        if not fresh or fresh.items() <= known.items():
            return
        kept = archive or (self.lock.archive if self.lock else None)
        self.lock = Lock(id=self.manifest.id, origin=origin, archive=kept, files=tuple((known | fresh).values()))
        with writing(self.folder):
            write_lock(self.folder, self.lock)

    def _remedy(self) -> str:
        text = f"run `benchbox fetch {self.manifest.id}` again, or {self._with_from()}"
        if self.lock is not None:
            text += f"; if the publisher changed it on purpose, remove {self.folder / LOCK_NAME} first"
        return text

    def _with_from(self) -> str:
        return (f"get the files elsewhere ({self.manifest.homepage or 'no page is known'}) and run "
                f"`benchbox fetch {self.manifest.id} --from DIR`")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
