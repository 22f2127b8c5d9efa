"""Imports compressai, which needs torchvision and torch_geometric only to list their transforms."""

from __future__ import annotations

import functools
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Without --no-deps its metadata would bring numpy 1.26, torchvision and torch_geometric.
INSTALL = "run: pip install torch einops pytorch-msssim requests && pip install --no-deps compressai==1.2.8"

_PLACEHOLDERS = {
    "torchvision": ("torchvision", "torchvision.transforms"),
    "torch_geometric": ("torch_geometric", "torch_geometric.transforms", "torch_geometric.data",
                        "torch_geometric.data.datapipes"),
}  # fmt: skip


def missing() -> str | None:
    """The reason why compressai cannot be imported, or None; imports nothing."""
    for name in ("torch", "compressai", "einops"):
        if importlib.util.find_spec(name) is None:
            return f"the package {name} is not installed; {INSTALL}"
    return None


@functools.cache
def architectures() -> dict[str, Any]:
    """Model classes by the zoo's names, and ``elic2022``. Imports torch and compressai (seconds)."""
    with _placeholders():
        from compressai.models.sensetime import Elic2022Official
        from compressai.zoo.image import model_architectures
    return {**model_architectures, "elic2022": Elic2022Official}


@contextmanager
def _placeholders() -> Iterator[None]:
    """Put empty modules in place of those of the two packages that are absent, while compressai is imported. They are
    removed afterwards, so that nobody else mistakes them for the real ones."""
    added = []
    for package, names in _PLACEHOLDERS.items():
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            for name in names:
                sys.modules[name] = _Placeholder(name)
                added.append(name)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


class _Placeholder(types.ModuleType):
    """A module whose every public name is an empty class; ``functional_transform`` is a decorator that does nothing."""

    __path__: list[str] = []  # noqa: RUF012 - what makes a module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "functional_transform":
            return lambda *arguments: lambda thing: thing
        return type(name, (), {})
