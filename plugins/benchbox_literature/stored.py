"""The curves of `curves.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from benchbox import Reference


def references() -> list[Reference]:
    """All curves, in the order of `curves.json`: those that most comparisons cite come first."""
    text = resources.files(__package__).joinpath("curves.json").read_text(encoding="utf-8")
    return [reference(curve) for curve in json.loads(text)]


def reference(curve: Mapping[str, Any]) -> Reference:
    """One entry of `curves.json`."""
    return Reference(
        id=curve["id"],
        title=curve["title"],
        dataset=curve["dataset"],
        convention=curve["convention"],
        source=curve["source"],
        bpp=tuple(curve["bpp"]),
        metrics={metric: tuple(values) for metric, values in curve["metrics"].items()},
        caution=curve["caution"],
    )
