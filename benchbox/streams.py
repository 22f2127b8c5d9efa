"""Kept bitstreams: files named by the SHA-256 of their contents, whole or absent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from benchbox.errors import StoreError


def stream_path(streams: Path, sha256: str) -> Path:
    """Where a kept stream lies below the folder `streams`."""
    return streams / sha256[:2] / sha256


def keep_stream(streams: Path, data: bytes) -> str:
    """Write a stream under its SHA-256 (whole or not at all) and return that."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = stream_path(streams, sha256)
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
        raise StoreError(f"cannot keep a stream in {streams}: {error.strerror}; make room or choose another --workspace"
                         ) from error
    return sha256


def read_stream(streams: Path, sha256: str) -> bytes:
    """A kept stream, checked against its digest; raises StoreError when it is gone or damaged."""
    try:
        data = stream_path(streams, sha256).read_bytes()
    except OSError as error:
        raise StoreError(f"the stream {sha256[:12]} is gone from {streams}; run the plan again") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StoreError(f"the stream {sha256[:12]} in {streams} is damaged; delete it and run the plan again")
    return data


def drop_unused(streams: Path, used: set[str]) -> tuple[int, int]:
    """Delete every stream whose SHA-256 is not in `used`, and parts left by dead workers; returns (count, bytes)."""
    count = size = 0
    for path in streams.glob("*/*"):
        if path.name not in used:
            size += path.stat().st_size
            count += 1
            path.unlink()
    return count, size
