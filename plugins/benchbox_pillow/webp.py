"""Lossy WebP (VP8) by libwebp; chroma is always 4:2:0. Pillow does not offer sharp_yuv, so neither does this."""

from __future__ import annotations

import struct
from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox.image import Image
from benchbox_pillow.common import OPAQUE, PillowCodec, PillowInfo, opaque

MAX_SIZE = 16383
"""libwebp's WEBP_MAX_DIMENSION."""


class Options(OptionsModel):
    """Options of lossy WebP."""

    method: int = Field(4, ge=0, le=6, description="effort: 0 fast to 6 slow")
    alpha_quality: int = Field(100, ge=0, le=100, description="quality of the alpha channel; 100 keeps it exactly")


class WebpStream(PillowCodec):
    """Shared by lossy and lossless WebP: the container."""

    format = "WEBP"

    def refusal(self, image: Image, quality: float) -> str | None:
        return super().refusal(image, quality) or (OPAQUE if opaque(image) else None)

    def whole(self, data: bytes) -> bool:
        # RIFF: bytes 4 to 7 hold the size of what follows them. With fewer bytes the stream is truncated.
        return len(data) >= 12 and struct.unpack_from("<I", data, 4)[0] == len(data) - 8


class WebpCodec(WebpStream):
    """See `PillowCodec`."""

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        return {"lossless": False, "quality": quality, "method": self.options.method,
                "alpha_quality": self.options.alpha_quality, "exact": False}


WEBP = PillowInfo(
    id="webp",
    suffix=".webp",
    title="WebP (libwebp)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({3, 4}), max_size=MAX_SIZE),  # gray would come back as RGB
    quality=QualityAxis("quality", (0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95), 0, 100),
    codec_class=WebpCodec,
    feature="webp",
    library="libwebp",
)
