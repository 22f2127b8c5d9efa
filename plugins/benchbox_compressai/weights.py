"""Checkpoints: which there are, their digests, loading one into a model."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path
from typing import Any

from benchbox.errors import CodecError
from benchbox_compressai import library

VARIABLE = "BENCHBOX_COMPRESSAI"
"""Environment variable: a folder of checkpoints to use instead of torch.hub's cache."""


def folder() -> Path:
    """Where checkpoints are looked for, found without importing torch."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    home = os.environ.get("TORCH_HOME")
    base = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return base.expanduser() / "hub" / "checkpoints"


def find(model: str, metric: str) -> dict[int, Path]:
    """Checkpoints of `model` by quality.

    A file is called as the zoo calls it (``bmshj2018-factorized-prior-1-446d5c7f.pth.tar``) or simply
    ``MODEL-QUALITY.pth.tar``, ``MODEL-ms-ssim-QUALITY.pth.tar``.
    """
    pattern = re.compile(re.escape(model) + r"(?:-prior)?(?:-(mse|ms-ssim))?-(\d+)(?:-[0-9a-f]{8})?\.pth(?:\.tar)?")
    found: dict[int, Path] = {}
    for path in sorted(folder().glob("*.pth*")):
        match = pattern.fullmatch(path.name.replace("_", "-"))
        if match and (match[1] or "mse") == metric:
            found.setdefault(int(match[2]), path)
    return dict(sorted(found.items()))


def digest(path: Path) -> bytes:
    """SHA-256 of a checkpoint file."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@functools.cache
def _digest(path: Path, size: int, changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def load(model: str, path: Path) -> Any:
    """The model in evaluation mode with its entropy tables. Raises CodecError for a file that is none of it."""
    state = path.stat()
    return _load(model, path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _load(model: str, path: Path, size: int, changed: int) -> Any:
    architecture = library.architectures()[model]
    import torch
    from compressai.zoo.pretrained import load_pretrained

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        tensors = load_pretrained(checkpoint.get("state_dict", checkpoint))
        network = architecture.from_state_dict(tensors)
    except Exception as error:  # UnpicklingError, KeyError, RuntimeError, EOFError ... on damage
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CodecError(f"{model}: {path} is no checkpoint of this model ({reason}); replace the file") from error
    network.eval()
    network.update()  # does nothing where the checkpoint brings its tables
    return network
