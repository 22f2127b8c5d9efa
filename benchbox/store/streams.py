"""Kept bitstreams: each lies in a file named by the SHA-256 of its contents, whole or absent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchbox.errors import StoreError


@dataclass(frozen=True)
class Streams:
    """The kept streams below one absolute folder. The only place that knows where and how they are kept."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Keep a stream and return its SHA-256 (hex).

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
            raise StoreError(f"cannot keep a stream in {self.folder}: {error.strerror}; make room or choose another "
                             "--workspace") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The stream of that SHA-256, checked against it.

        Raises:
            StoreError: it is gone or damaged.
        """
        try:
            data = self._path(sha256).read_bytes()
        except OSError as error:
            raise StoreError(f"the stream {sha256[:12]} is gone from {self.folder}; run the plan again") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"the stream {sha256[:12]} in {self.folder} is damaged; delete it and run the plan again")
        return data

    def has(self, sha256: str) -> bool:
        """Whether the stream of that SHA-256 is kept."""
        return self._path(sha256).exists()

    def drop_all_but(self, used: Collection[str]) -> tuple[int, int]:
        """Delete every stream whose SHA-256 is not in `used`, and what dead workers left half written.

        Returns:
            How many files and how many bytes were deleted.
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
