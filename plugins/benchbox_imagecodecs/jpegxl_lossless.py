"""Lossless JPEG XL by libjxl: Modular mode, a bare codestream without container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities, Codec
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegxl import JpegxlCodec, Options


@dataclass(frozen=True)
class JpegxlLosslessInfo(ImagecodecsInfo):
    """Lossless JPEG XL; no quality axis."""

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        return JpegxlLosslessCodec(self, options)


class JpegxlLosslessCodec(JpegxlCodec):
    """See `ImagecodecsCodec`."""

    def compress(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(pixels, effort=self._options.effort, lossless=True,
                                                usecontainer=False, numthreads=self._options.threads))


JPEGXL_LOSSLESS = JpegxlLosslessInfo(
    id="jpegxl-lossless",
    title="JPEG XL lossless (libjxl)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jxl",
    libraries=("jpegxl",),
)
