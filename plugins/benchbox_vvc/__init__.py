"""VVC (H.266) intra pictures by vvenc, through ffmpeg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The one codec; without imageio-ffmpeg it is listed as unavailable."""
    from benchbox_vvc import vvc

    return [vvc.VVC]
