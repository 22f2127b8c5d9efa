"""benchbox_literature: published rate-distortion curves, to draw with measured ones.

They lie in `curves.json`, which `benchbox_literature.clean` makes from collected result files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources

from benchbox import Reference, hookimpl


@hookimpl
def benchbox_references() -> Sequence[Reference]:
    """All curves, in the order of `curves.json`: those that most comparisons cite come first."""
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
