"""Lossless JPEG-LS by CharLS."""

from __future__ import annotations

from benchbox.codec import Capabilities
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegls import JpeglsCodec

JPEGLS_LOSSLESS = ImagecodecsInfo(
    id="jpegls-lossless",
    title="JPEG-LS lossless (CharLS)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jls",
    codec_class=JpeglsCodec,
    libraries=("jpegls",),
)
