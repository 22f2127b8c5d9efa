"""Lossless JPEG XL by libjxl: Modular mode, a bare codestream without container."""

from __future__ import annotations

from typing import Any

from benchbox.codec import Capabilities
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegxl import JpegxlCodec, Options


class JpegxlLosslessCodec(JpegxlCodec):
    """See `ImagecodecsCodec`."""

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(pixels, effort=self.options.effort, lossless=True,
                                                usecontainer=False, numthreads=self.options.threads))


JPEGXL_LOSSLESS = ImagecodecsInfo(
    id="jpegxl-lossless",
    title="JPEG XL lossless (libjxl)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jxl",
    codec_class=JpegxlLosslessCodec,
    libraries=("jpegxl",),
)
