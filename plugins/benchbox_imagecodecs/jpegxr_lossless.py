"""Lossless JPEG XR by jxrlib: quantiser 1, a reversible transform, chroma 4:4:4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities, Codec
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegxr import JpegxrStream


@dataclass(frozen=True)
class JpegxrLosslessInfo(ImagecodecsInfo):
    """Lossless JPEG XR; no quality axis."""

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        return JpegxrLosslessCodec(self, options)


class JpegxrLosslessCodec(JpegxrStream):
    """See `ImagecodecsCodec`."""

    def compress(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxr_encode(pixels, level=1.0, hasalpha=pixels.shape[2:] == (4,)))


JPEGXR_LOSSLESS = JpegxrLosslessInfo(
    id="jpegxr-lossless",
    title="JPEG XR lossless (jxrlib)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jxr",
    libraries=("jpegxr",),
)
