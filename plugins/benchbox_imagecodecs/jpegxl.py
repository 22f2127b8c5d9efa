"""Lossy JPEG XL by libjxl: VarDCT at a Butteraugli distance, a bare codestream without container."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo


class Options(OptionsModel):
    """Options of lossy JPEG XL."""

    effort: int = Field(7, ge=1, le=10, description="1 fast to 10 slow; 7 is libjxl's default")
    threads: int = Field(1, ge=1, le=64, description="threads of encoder and decoder")


class JpegxlCodec(ImagecodecsCodec):
    """See `ImagecodecsCodec`."""

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxl_encode(pixels, effort=self.options.effort, distance=quality, lossless=False,
                                                usecontainer=False, numthreads=self.options.threads))

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.jpegxl_decode(data, numthreads=self.options.threads)


JPEGXL = ImagecodecsInfo(
    id="jpegxl",
    title="JPEG XL (libjxl)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16})),
    suffix=".jxl",
    # The Butteraugli distance; the size rises as it falls. From 20 on libjxl halves the picture first, which takes more
    # bytes at 20 than at 15; 25 is its coarsest distance.
    quality=QualityAxis("distance", (25, 15, 12, 9, 7, 5, 4, 3, 2, 1.5, 1, 0.7, 0.5), 0.01, 25),
    codec_class=JpegxlCodec,
    libraries=("jpegxl",),
)
