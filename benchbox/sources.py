"""The SHA-256 of a plugin's own files, by which it is noticed that a codec changed though its identity did not."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

LARGE = 1 << 20
"""Bytes of a file above which only its size, beginning and end are digested: weights, whose digest is part of the
identity of the codec that loads them."""

_SAMPLE = 1 << 16
"""Bytes digested at each end of a large file."""


def module_sha256(module: str) -> str | None:
    """The SHA-256 (hex) of the files of the top-level module or package of `module`, e.g. ``"acme.codec:plugin"``; None
    if they are not files.

    A package counts with all its files but compiled Python, by a list of their paths, sizes and digests.
    """
    try:
        spec = importlib.util.find_spec(module.partition(":")[0].partition(".")[0])
        if spec is None:
            return None
        if spec.submodule_search_locations is None:
            return hashlib.sha256(Path(spec.origin or "").read_bytes()).hexdigest()
        lines = sorted(line for folder in spec.submodule_search_locations for line in _manifest(Path(folder)))
    except (OSError, ValueError, ImportError):
        return None
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest() if lines else None


def _manifest(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.suffix not in (".pyc", ".pyo") and "__pycache__" not in path.parts and path.is_file():
            yield f"{path.relative_to(folder).as_posix()} {path.stat().st_size} {_digest(path)}\n"


def _digest(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(size if size <= LARGE else _SAMPLE)
        if size > LARGE:
            file.seek(-_SAMPLE, 2)
            data += file.read()
    return hashlib.sha256(data).hexdigest()
