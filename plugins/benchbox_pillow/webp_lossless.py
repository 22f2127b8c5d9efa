"""Lossless WebP (VP8L) by libwebp, `exact`: colour under alpha 0 is kept too."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel
from benchbox.image import Image
from benchbox_pillow.common import PillowInfo
from benchbox_pillow.webp import MAX_SIZE, WebpStream


class Options(OptionsModel):
    """Options of lossless WebP."""

    method: int = Field(4, ge=0, le=6, description="effort: 0 fast to 6 slow")
    effort: int = Field(80, ge=0, le=100, description="second effort setting; libwebp calls it quality, Pillow sets 80")


class WebpLosslessCodec(WebpStream):
    """See `PillowCodec`."""

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        return {"lossless": True, "exact": True, "quality": self.options.effort, "method": self.options.method}


WEBP_LOSSLESS = PillowInfo(
    id="webp-lossless",
    title="WebP lossless (libwebp)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({3, 4}), lossless=True, max_size=MAX_SIZE),
    codec_class=WebpLosslessCodec,
    feature="webp",
    library="libwebp",
)
