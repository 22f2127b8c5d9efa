"""Stored bitstreams: one file each, named by the SHA-256 of its contents and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from benchbox import machine
from benchbox.errors import StoreError
from benchbox.files import what_to_do

_BATCH = 256
"""Streams that one thread checks at a time."""


@dataclass(frozen=True)
class Streams:
    """The streams stored below one absolute folder. Only this class knows where and how they are stored."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Store a stream and return its SHA-256 (hex). A damaged file in its place is replaced.

        Raises:
            StoreError: it cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if _sha256(path) == sha256:
            return sha256
        part = path.with_name(f".{sha256}.{os.getpid()}")
        try:
            try:
                part.write_bytes(data)
            except FileNotFoundError:  # the first stream of this folder
                path.parent.mkdir(parents=True, exist_ok=True)
                part.write_bytes(data)
            if path.is_dir():  # not ours, so not deleted
                path.rename(part.with_suffix(".damaged"))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"cannot write a stream to {self.folder}: {error.strerror}; {what_to_do(error)} or "
                             "choose another --workspace") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The stream with that SHA-256; its contents are checked against it.

        Raises:
            StoreError: it is missing or damaged.
        """
        try:
            data = self._path(sha256).read_bytes()
        except OSError as error:
            raise StoreError(f"the stream {sha256[:12]} is missing in {self.folder}; run the plan again with --retry"
                             ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"the stream {sha256[:12]} in {self.folder} is damaged; run the plan again with --retry, "
                             "which encodes it again")
        return data

    def has(self, sha256: str) -> bool:
        """True if the stream with that SHA-256 is stored; `get` also checks its contents."""
        return self._path(sha256).exists()

    def size(self, sha256: str) -> int | None:
        """Bytes of the file that holds the stream with that SHA-256; None where there is none."""
        try:
            return os.stat(f"{self.folder}/{sha256[:2]}/{sha256}").st_size  # quicker than a Path, of a million files
        except OSError:
            return None

    def changed(self, expected: Mapping[str, tuple[int | None, str]]) -> set[str]:
        """Those of the streams `expected` (SHA-256 -> bytes, ISO time of a measurement) whose file is there and has
        another size, or was written to after that second. Reads none."""
        return {sha256 for sha256, (size, time) in expected.items() if self._is_changed(sha256, size, time)}

    def _is_changed(self, sha256: str, size: int | None, time: str) -> bool:
        try:
            status = os.stat(f"{self.folder}/{sha256[:2]}/{sha256}")
            return status.st_size != size or status.st_mtime > datetime.fromisoformat(time).timestamp() + 1
        except OSError:  # not there
            return False
        except (ValueError, TypeError):  # no time of ours
            return True

    def damaged(self, expected: Iterable[str]) -> set[str]:
        """Those of the SHA-256 `expected` whose file is there and holds something else. Reads all these files."""
        with ThreadPoolExecutor(machine.cores()) as pool:  # hashing releases the interpreter lock
            names = sorted(expected)
            batches = (names[k : k + _BATCH] for k in range(0, len(names), _BATCH))
            return set[str]().union(*pool.map(self._damaged, batches))

    def _damaged(self, expected: Sequence[str]) -> set[str]:
        return {sha256 for sha256 in expected if _sha256(self._path(sha256)) not in (sha256, None)}

    def take(self, other: Streams, expected: Iterable[tuple[str, int | None]]) -> Counter[str]:
        """Copy the streams `expected` (SHA-256, bytes) of another folder that are not here in that size.

        Returns:
            Numbers of streams that were ``"copied"``, are ``"missing"`` there, or ``"damaged"`` there and left out.

        Raises:
            StoreError: one cannot be written.
        """
        counts: Counter[str] = Counter()
        lacking = ((sha256, size) for sha256, size in expected if self.size(sha256) != size)
        with ThreadPoolExecutor(machine.cores()) as pool:
            while batch := list(islice(lacking, _BATCH)):
                counts.update(pool.map(lambda pair: self._take(other, pair[0]), batch))
        return counts

    def _take(self, other: Streams, sha256: str) -> str:
        if not other.has(sha256):
            return "missing"
        try:
            data = other.get(sha256)
        except StoreError:
            return "damaged"
        self.put(data)
        return "copied"

    def any(self) -> bool:
        """Whether any stream is kept."""
        return next(self.folder.glob("*/*"), None) is not None

    def drop_all_but(self, used: Collection[str]) -> tuple[int, int]:
        """Delete every stream whose SHA-256 is not in `used`, and partial files of dead workers.

        Returns:
            Number of files and number of bytes deleted.
        """
        count = size = 0
        for path in self.folder.glob("*/*"):
            if path.name not in used and not path.is_dir():
                try:
                    size += path.stat().st_size
                    path.unlink()
                except OSError as error:
                    raise StoreError(f"{path}: cannot be deleted: {error.strerror}; check its folder's permissions"
                                     ) from error
                count += 1
        return count, size

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


def _sha256(path: Path) -> str | None:
    """The SHA-256 of a file, ``""`` where it cannot be read, None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""
