"""Lossy HTJ2K (JPEG 2000 part 15): encoded by OpenJPH with the irreversible 9/7 wavelet, decoded by OpenJPEG.

Decoding is OpenJPEG's because imagecodecs' own `htj2k_decode` does not clip: values above the peak wrap to 0.
"""

from __future__ import annotations

import struct
from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox.image import MAX_PIXELS
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo


class Options(OptionsModel):
    """Options of HTJ2K."""

    resolutions: int = Field(6, ge=1, le=33, description="resolution levels, one more than wavelet decompositions")


class Htj2kStream(ImagecodecsCodec):
    """Shared by lossy and lossless HTJ2K."""

    reversible: bool

    def whole(self, data: bytes) -> bool:
        # The SIZ marker segment (ITU-T T.800, A.5.1): the encoder writes one tile of the picture's size at the origin.
        # OpenJPEG spends seconds on a damaged header that claims millions of tiles.
        if len(data) < 42:
            return False
        width, height, left, top, tile_width, tile_height = struct.unpack_from(">6I", data, 8)
        return (left, top) == (0, 0) and (tile_width, tile_height) == (width, height) and width * height <= MAX_PIXELS

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        # A level halves the sides; the coarsest keeps at least a pixel.
        most = int(min(pixels.shape[:2])).bit_length()
        level = None if self.reversible else quality
        return bytes(imagecodecs.htj2k_encode(pixels, level, reversible=self.reversible, rgb=pixels.ndim == 3,
                                              resolutions=min(self.options.resolutions, most)))

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.jpeg2k_decode(data, numthreads=1)


class Htj2kCodec(Htj2kStream):
    """See `ImagecodecsCodec`."""

    reversible = False


HTJ2K = ImagecodecsInfo(
    id="htj2k",
    title="HTJ2K (OpenJPH)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16})),
    suffix=".j2c",
    # The quantisation step as a fraction of the peak; the size rises as it falls.
    quality=QualityAxis("step", (0.6, 0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625, 0.045, 0.03, 0.02, 0.015),
                        0.0005, 1),
    codec_class=Htj2kCodec,
    libraries=("htj2k", "jpeg2k"),
)
