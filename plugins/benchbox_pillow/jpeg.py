"""JPEG by libjpeg-turbo, as `Image.save(quality=...)` writes it by default.

The quality, 1 to 100, scales the tables of ITU-T T.81, annex K, as in libjpeg.
"""

from __future__ import annotations

import io
from typing import Any, Literal

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox.image import Image
from benchbox_pillow.common import PILLOW_GLOBALS, PillowCodec, PillowInfo


class Options(OptionsModel):
    """Options of JPEG."""

    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = Field("4:2:0", description="chroma subsampling")
    progressive: bool = Field(False, description="progressive scans (implies optimized Huffman tables)")
    optimize: bool = Field(False, description="Huffman tables fitted to the picture")


class JpegCodec(PillowCodec):
    """See `PillowCodec`."""

    format = "JPEG"
    end = b"\xff\xd9"  # EOI

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        chroma = {"subsampling": self.options.subsampling} if image.shape[2] == 3 else {}
        return {"quality": int(quality), "progressive": self.options.progressive,
                "optimize": self.options.optimize, **chroma}

    def save(self, picture: Any, buffer: io.BytesIO, settings: dict[str, Any]) -> None:
        if not (settings["progressive"] or settings["optimize"]):
            super().save(picture, buffer, settings)
            return
        # Pillow writes these in one piece, and its own buffer for that is too small for noise in 4:4:4.
        from PIL import ImageFile

        with PILLOW_GLOBALS:
            before = ImageFile.MAXBLOCK
            ImageFile.MAXBLOCK = max(before, 4 * picture.width * picture.height * len(picture.getbands()))
            try:
                super().save(picture, buffer, settings)
            finally:
                ImageFile.MAXBLOCK = before


JPEG = PillowInfo(
    id="jpeg",
    suffix=".jpg",
    title="JPEG (libjpeg-turbo)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3}), max_size=65500),  # 65500: libjpeg's JPEG_MAX_DIMENSION
    quality=QualityAxis("quality", (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95), 1, 100, integer=True),
    codec_class=JpegCodec,
    feature="libjpeg_turbo",
    library="libjpeg-turbo",
)
