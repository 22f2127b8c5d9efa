"""Stored bitstreams: one file each, named by the SHA-256 of its contents and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchbox.errors import StoreError


@dataclass(frozen=True)
class Streams:
    """The streams stored below one absolute folder. Only this class knows where and how they are stored."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Store a stream and return its SHA-256 (hex).

        Raises:
            StoreError: it cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if path.exists():
            return sha256
        part = path.with_name(f".{sha256}.{os.getpid()}")
        try:
            try:
                part.write_bytes(data)
            except FileNotFoundError:  # the first stream of this folder
                path.parent.mkdir(parents=True, exist_ok=True)
                part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"cannot write a stream to {self.folder}: {error.strerror}; make room or choose another "
                             "--workspace") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The stream with that SHA-256; its contents are checked against it.

        Raises:
            StoreError: it is missing or damaged.
        """
        try:
            data = self._path(sha256).read_bytes()
        except OSError as error:
            raise StoreError(f"the stream {sha256[:12]} is missing in {self.folder}; run the plan again") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"the stream {sha256[:12]} in {self.folder} is damaged; delete it and run the plan again")
        return data

    def has(self, sha256: str) -> bool:
        """True if the stream with that SHA-256 is stored."""
        return self._path(sha256).exists()

    def drop_all_but(self, used: Collection[str]) -> tuple[int, int]:
        """Delete every stream whose SHA-256 is not in `used`, and partial files of dead workers.

        Returns:
            Number of files and number of bytes deleted.
        """
        count = size = 0
        for path in self.folder.glob("*/*"):
            if path.name not in used:
                size += path.stat().st_size
                count += 1
                path.unlink()
        return count, size

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256
