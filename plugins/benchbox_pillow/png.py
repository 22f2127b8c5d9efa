"""PNG by Pillow's own writer over zlib."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel
from benchbox.image import MAX_PIXELS, Image
from benchbox_pillow.common import PillowCodec, PillowInfo


class Options(OptionsModel):
    """Options of PNG."""

    compress_level: int = Field(6, ge=0, le=9, description="zlib level; with optimize it is always 9")
    optimize: bool = Field(False, description="smallest file that Pillow can write")


class PngInfo(PillowInfo):
    """PNG; the bytes depend on whether Pillow was built with zlib or zlib-ng."""

    def identity(self, options: Any) -> str:
        from PIL import features

        ng = features.version("zlib_ng") if features.check("zlib_ng") else None  # it writes other bytes than zlib
        return super().identity(options) + (f" zlib-ng {ng}" if ng else "")


class PngCodec(PillowCodec):
    """See `PillowCodec`."""

    format = "PNG"
    end = b"IEND\xaeB`\x82"

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        return {"compress_level": self.options.compress_level, "optimize": self.options.optimize}

    def whole(self, data: bytes) -> bool:
        # Bytes 24 and 25: bit depth and colour type. Pillow would decode 16-bit colour to 8 bits without a warning.
        return super().whole(data) and len(data) > 25 and (data[24] == 8 or data[24:26] == b"\x10\x00")


PNG = PngInfo(
    id="png",
    suffix=".png",
    title="PNG (Pillow, zlib)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True,
                              max_size=MAX_PIXELS),
    codec_class=PngCodec,
    feature="zlib",
    library="zlib",
)
