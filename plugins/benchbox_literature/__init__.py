"""benchbox_literature: published rate-distortion curves, to draw with measured ones.

They lie in `curves.json`, which `benchbox_literature.clean` makes from collected result files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import Reference


@hookimpl
def benchbox_references() -> Sequence[Reference]:
    """All curves."""
    from benchbox_literature.stored import references

    return references()
