"""MozJPEG through libvips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The one codec; without pyvips and pyvips-binary it is listed as unavailable."""
    from benchbox_mozjpeg import mozjpeg

    return [mozjpeg.MOZJPEG]
