"""Puts files into the folder of a data set: chosen by name, checked against their checksums, recorded in the lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from benchbox.dataset import FetchProgress
from benchbox.errors import ChecksumError, DatasetError
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
    sha256_of,
    write_all,
    write_lock,
    writing,
)


@dataclass
class Intake:
    """The folder of one data set while it is being filled. `lock` grows with every file whose checksum was unknown."""

    manifest: Manifest
    folder: Path
    lock: Lock | None
    progress: FetchProgress

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The files of the set with all that manifest and lock know; empty if neither lists any."""
        return entries(self.manifest, self.lock)

    def lacking(self) -> list[FileEntry]:
        """The files that are absent or whose checksum is not the promised one."""
        return [entry for entry in self.files if not is_right(self.folder / entry.file, entry)]

    def wanted(self) -> Callable[[str], bool]:
        """A function of a path: whether a file found there may be one of the set, by its name."""
        names = {PurePosixPath(entry.file).name for entry in self.files}
        pattern = self.manifest.select or "*"

        def is_wanted(path: str) -> bool:
            name = PurePosixPath(path).name
            return not name.startswith(".") and (name in names if names else fnmatchcase(name, pattern))

        return is_wanted

    def take(
        self, source: Path, take: Callable[[Path, FileEntry], LockedFile], origin: str, archive: LockedArchive | None
    ) -> None:
        """Bring the files of the set from anywhere below `source` into place with `take`, and record new checksums.

        Args:
            take: `copy` or `move`.
            origin: for the lock: the address that the files came from, or "disk".
            archive: for the lock: the archive that they were in.
        """
        # macOS packs the resource forks of files into a folder __MACOSX
        below = [path for path in walk(source)[0] if "__MACOSX" not in path.relative_to(source).parts]
        if self.files:
            self._take_listed(source, below, take, origin, archive)
            return
        taken = [take(path, FileEntry(file=path.name)) for path in self._selected(source, below)]
        self.record(taken, origin, archive)

    def _take_listed(
        self, source: Path, below: Sequence[Path], take: Callable[[Path, FileEntry], LockedFile], origin: str,
        archive: LockedArchive | None,
    ) -> None:  # fmt: skip
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
                self.record([take(best, entry)], origin, archive)
            except ChecksumError as error:
                wrong.append(error)
        if wrong:
            raise wrong[0]
        if missing:
            raise DatasetError(f"{source} lacks {len(missing)} of the {len(self.files)} files of {self.manifest.id} "
                               f"({_some(missing)}): {self.from_elsewhere()}")

    def _selected(self, source: Path, below: Sequence[Path]) -> list[Path]:
        """The files of a set whose manifest lists none, by `select`; their number must be `count`."""
        chosen: dict[str, Path] = {}
        is_wanted = self.wanted()
        for path in sorted(path for path in below if is_wanted(path.name)):
            twin = chosen.setdefault(path.name, path)
            if twin is not path and sha256_of(twin) != sha256_of(path):
                raise DatasetError(f"{twin} and {path} have the same name and differ: give a folder with one of them")
        count = self.manifest.count
        if not chosen or (count is not None and len(chosen) != count):
            raise DatasetError(f"{source} holds {len(chosen)} files called {self.manifest.select}, but "
                               f"{self.manifest.id} has {count or 'some'}: {self.from_elsewhere()}")
        return [chosen[name] for name in sorted(chosen)]

    def copy(self, path: Path, entry: FileEntry) -> LockedFile:
        """Copy the file at `path` into place as `entry`; raises ChecksumError if it is another file."""
        target = self.folder / entry.file
        part = target.with_name(target.name + ".part")
        sha = hashlib.sha256()
        try:
            reader = path.open("rb")
        except OSError as error:
            raise DatasetError(f"{path} cannot be read ({error.strerror}): {self.from_elsewhere()}") from error
        with writing(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            writer = part.open("wb", buffering=0)
        with reader, writer:
            while chunk := reader.read(CHUNK):
                sha.update(chunk)
                with writing(self.folder):
                    write_all(writer, chunk)
        return self._settle(path, part, entry, sha.hexdigest())

    def move(self, path: Path, entry: FileEntry) -> LockedFile:
        """Move the file at `path` into place as `entry`; raises ChecksumError if it is another file."""
        return self._settle(path, path, entry, sha256_of(path))

    def _settle(self, origin: Path, part: Path, entry: FileEntry, got: str) -> LockedFile:
        """Check `part`, whose SHA-256 is `got`, against `entry` and move it into place."""
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
            raise ChecksumError(f"{origin}: {problem}; it was not taken: {self.from_elsewhere()}")
        target = self.folder / entry.file
        with writing(self.folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        self.progress(entry.file, size, size)
        return LockedFile(file=entry.file, bytes=size, sha256=got)

    def record(self, taken: Sequence[LockedFile], origin: str, archive: LockedArchive | None = None) -> None:
        """Keep in the lock the checksums that the manifest does not have."""
        promised = {entry.file for entry in self.manifest.files if entry.sha256 is not None}
        known = {locked.file: locked for locked in self.lock.files} if self.lock else {}
        fresh = {locked.file: locked for locked in taken if locked.file not in promised}
        if not fresh or fresh.items() <= known.items():
            return
        kept = archive or (self.lock.archive if self.lock else None)
        self.lock = Lock(id=self.manifest.id, origin=origin, archive=kept, files=tuple((known | fresh).values()))
        with writing(self.folder):
            write_lock(self.folder, self.lock)

    def remedy(self) -> str:
        """What the user can do about a failed download, as the end of a message."""
        text = f"run `benchbox fetch {self.manifest.id}` again, or {self.from_elsewhere()}"
        if self.lock is not None:
            text += f"; if the publisher changed it on purpose, remove {self.folder / LOCK_NAME} first"
        return text

    def from_elsewhere(self) -> str:
        """How the user can supply the files, as the end of a message."""
        return (f"get the files elsewhere ({self.manifest.homepage or 'no page is known'}) and run "
                f"`benchbox fetch {self.manifest.id} --from DIR`")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
