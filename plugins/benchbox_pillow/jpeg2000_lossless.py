"""Lossless JPEG 2000 by OpenJPEG: the reversible 5/3 wavelet and colour transform, a JP2 file."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel
from benchbox.image import MAX_PIXELS, Image
from benchbox_pillow.common import PillowInfo
from benchbox_pillow.jpeg2000 import Jpeg2000Stream


class Options(OptionsModel):
    """Options of lossless JPEG 2000."""

    resolutions: int = Field(6, ge=1, le=33, description="resolution levels, one more than wavelet decompositions")


class Jpeg2000LosslessCodec(Jpeg2000Stream):
    """See `PillowCodec`."""

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        return {**super().settings(image, quality), "irreversible": False}


JPEG2000_LOSSLESS = PillowInfo(
    id="jpeg2000-lossless",
    title="JPEG 2000 lossless (OpenJPEG)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True,
                              max_size=MAX_PIXELS),
    codec_class=Jpeg2000LosslessCodec,
    feature="jpg_2000",
    library="OpenJPEG",
)
