"""Lossy JPEG XL by libjxl: VarDCT at a Butteraugli distance, a bare codestream without container."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo

_SIGNATURE = b"\xff\x0a"
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height by the header's ratio; 0 is followed by a width."""


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

    def claimed(self, data: bytes) -> tuple[int, int]:
        return _size(data)

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.jpegxl_decode(data, numthreads=self.options.threads)


def _size(data: bytes) -> tuple[int, int]:
    """(width, height) of a codestream (ISO/IEC 18181-1, SizeHeader), bare or in a container; (0, 0) where it is cut."""
    start = 0 if data.startswith(_SIGNATURE) else data.find(_SIGNATURE)
    bits = int.from_bytes(data[start + 2 : start + 13], "little")  # read from the lowest bit on

    def read(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    def side(small: int) -> int:
        return 8 * (read(5) + 1) if small else 1 + read((9, 13, 18, 30)[read(2)])

    small = read(1)
    height, ratio = side(small), read(3)
    return (height * _RATIOS[ratio][0] // _RATIOS[ratio][1] if ratio else side(small)), height


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
