"""The codecs inside imagecodecs: JPEG XL, HTJ2K, JPEG XR, JPEG-LS (each lossy and lossless) and QOI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The codecs; one that is missing in this build of imagecodecs is listed as unavailable."""
    from benchbox_imagecodecs import (
        htj2k,
        htj2k_lossless,
        jpegls,
        jpegls_lossless,
        jpegxl,
        jpegxl_lossless,
        jpegxr,
        jpegxr_lossless,
        qoi,
    )

    return [jpegxl.JPEGXL, jpegxl_lossless.JPEGXL_LOSSLESS, htj2k.HTJ2K, htj2k_lossless.HTJ2K_LOSSLESS,
            jpegxr.JPEGXR, jpegxr_lossless.JPEGXR_LOSSLESS, jpegls.JPEGLS, jpegls_lossless.JPEGLS_LOSSLESS, qoi.QOI]
