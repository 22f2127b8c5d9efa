"""Lossy JPEG 2000 by OpenJPEG: the irreversible 9/7 wavelet, the colour transform, one quality layer, a JP2 file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox.image import MAX_PIXELS, Image
from benchbox_pillow.common import PillowCodec, PillowInfo


class Options(OptionsModel):
    """Options of lossy JPEG 2000."""

    by: Literal["psnr", "rate"] = Field("psnr", description="what the axis asks of the encoder: PSNR in dB or bpp")
    resolutions: int = Field(6, ge=1, le=33, description="resolution levels, one more than wavelet decompositions")


class Jpeg2000Info(PillowInfo):
    """Lossy JPEG 2000; the axis is the PSNR in dB or the rate in bpp that OpenJPEG is asked for."""

    def axis(self, options: Any) -> QualityAxis:
        if options.by == "rate":
            return QualityAxis("rate", (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 2.5, 3), 0.01, 16, "bpp")
        return QualityAxis("psnr", (22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44), 10, 60, "dB")


class Jpeg2000Stream(PillowCodec):
    """Shared by lossy and lossless JPEG 2000."""

    format = "JPEG2000"
    end = b"\xff\xd9"  # EOC; OpenJPEG itself decodes a truncated stream without an error

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        return {"mct": 1 if image.shape[2] >= 3 else 0, "num_resolutions": self._resolutions(image)}

    def _resolutions(self, image: Image) -> int:
        # A level halves the sides; OpenJPEG requires at least a pixel at the coarsest.
        height, width = image.shape[:2]
        most: int = min(height, width).bit_length()
        return min(int(self.options.resolutions), most)


class Jpeg2000Codec(Jpeg2000Stream):
    """See `PillowCodec`."""

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        rate = self.options.by == "rate"
        # For OpenJPEG a rate is a compression ratio.
        layer = image.dtype.itemsize * 8 * image.shape[2] / quality if rate else quality
        return {**super().settings(image, quality), "irreversible": True,
                "quality_mode": "rates" if rate else "dB", "quality_layers": [layer]}


JPEG2000 = Jpeg2000Info(
    id="jpeg2000",
    suffix=".jp2",
    title="JPEG 2000 (OpenJPEG)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), max_size=MAX_PIXELS),
    codec_class=Jpeg2000Codec,
    feature="jpg_2000",
    library="OpenJPEG",
)
