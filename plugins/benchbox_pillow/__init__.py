"""The codecs inside Pillow: JPEG, WebP, AVIF, JPEG 2000, and lossless PNG, WebP and JPEG 2000."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The codecs; one whose library is missing in this Pillow is listed as unavailable."""
    from benchbox_pillow import avif, jpeg, jpeg2000, jpeg2000_lossless, png, webp, webp_lossless

    return [jpeg.JPEG, webp.WEBP, avif.AVIF, jpeg2000.JPEG2000, png.PNG, webp_lossless.WEBP_LOSSLESS,
            jpeg2000_lossless.JPEG2000_LOSSLESS]
