"""HEIC: HEVC intra pictures by libheif and x265."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The one codec; without pillow-heif it is listed as unavailable."""
    from benchbox_heif import heic

    return [heic.HEIC]
