"""benchbox_literature: published rate-distortion curves, to draw with measured ones.

They lie in `curves.json`, which `benchbox_literature.clean` makes from collected result files.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import Reference, hookimpl
from benchbox_literature.stored import references


@hookimpl
def benchbox_references() -> Sequence[Reference]:
    """All curves, see `references`."""
    return references()
