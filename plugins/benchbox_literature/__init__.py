"""Published rate-distortion curves, to lay under measured ones. `clean.py` made `curves.json`, which this reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources

from benchbox import Reference, hookimpl


@hookimpl
def benchbox_references() -> Sequence[Reference]:
    """All curves, those that most comparisons name first."""
    text = resources.files(__name__).joinpath("curves.json").read_text(encoding="utf-8")
    return [
        Reference(
            id=curve["id"],
            title=curve["title"],
            dataset=curve["dataset"],
            convention=curve["convention"],
            source=curve["source"],
            bpp=tuple(curve["bpp"]),
            metrics={metric: tuple(values) for metric, values in curve["metrics"].items()},
            caution=curve["caution"],
        )
        for curve in json.loads(text)
    ]
