"""Lossless JPEG XR by jxrlib: quantiser 1, a reversible transform, chroma 4:4:4."""

from __future__ import annotations

from typing import Any

from benchbox.codec import Capabilities
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegxr import JpegxrStream


class JpegxrLosslessCodec(JpegxrStream):
    """See `ImagecodecsCodec`."""

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxr_encode(pixels, level=1.0, hasalpha=pixels.shape[2:] == (4,)))


JPEGXR_LOSSLESS = ImagecodecsInfo(
    id="jpegxr-lossless",
    title="JPEG XR lossless (jxrlib)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jxr",
    codec_class=JpegxrLosslessCodec,
    libraries=("jpegxr",),
)
