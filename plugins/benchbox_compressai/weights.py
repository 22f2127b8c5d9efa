"""Checkpoints: which ones are there, fetching those of the zoo, loading one into a model."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

from benchbox.errors import CodecError, CodecUnavailableError, UnknownIdError, did_you_mean
from benchbox_compressai import library

VARIABLE = "BENCHBOX_COMPRESSAI"
"""Environment variable: a folder of checkpoints to use instead of torch.hub's cache."""


def folder() -> Path:
    """The folder in which checkpoints are looked for, found without importing torch."""
    if named := os.environ.get(VARIABLE):
        return Path(os.path.expanduser(named))
    home = os.environ.get("TORCH_HOME")
    base = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(os.path.expanduser(base)) / "hub" / "checkpoints"  # without a home folder, "~" stays


def find(model: str, metric: str) -> dict[int, Path]:
    """Checkpoints of `model` by quality.

    A file has its name in the zoo (``bmshj2018-factorized-prior-1-446d5c7f.pth.tar``) or a simple one,
    ``MODEL-QUALITY.pth.tar``, ``MODEL-ms-ssim-QUALITY.pth.tar``.
    """
    pattern = re.compile(re.escape(model) + r"(?:-prior)?(?:-(mse|ms-ssim))?-(\d+)(?:-[0-9a-f]{8})?\.pth(?:\.tar)?")
    found: dict[int, Path] = {}
    for path in sorted(folder().glob("*.pth*")):
        match = pattern.fullmatch(path.name.replace("_", "-"))
        if match and (match[1] or "mse") == metric:
            found.setdefault(int(match[2]), path)
    return dict(sorted(found.items()))


def fetch(model: str, metric: str) -> Iterator[Path]:
    """Download the checkpoints of `model` that are not there yet into `folder`, and give the path of each.

    Raises:
        CodecUnavailableError: compressai is not installed.
        UnknownIdError: the zoo has no such weights.
        CodecError: a download failed, or gave a file whose SHA-256 does not begin with the digits in its name.
    """
    reason = library.missing()
    if reason is not None:
        raise CodecUnavailableError(f"compressai: {reason}")
    library.architectures()
    import torch
    from compressai.zoo.image import model_urls

    if metric not in model_urls.get(model, {}):
        hint = did_you_mean(model, model_urls) or f"; it has {', '.join(model_urls)}"
        raise UnknownIdError(f"CompressAI's zoo has no {metric} weights of '{model}'{hint}")
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    for url in model_urls[model][metric].values():
        path = target / url.rpartition("/")[2]
        if path.exists():
            continue
        prefix = path.name.removesuffix(".pth.tar").rpartition("-")[2]
        try:
            torch.hub.download_url_to_file(url, str(path), prefix)
        except (URLError, OSError, RuntimeError) as error:
            raise CodecError(f"{url}: {error}; fetch it elsewhere and put it into {target}") from error
        yield path


def load(model: str, path: Path) -> Any:
    """The model in evaluation mode with its entropy tables. Raises CodecError if the file is no checkpoint of it."""
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
