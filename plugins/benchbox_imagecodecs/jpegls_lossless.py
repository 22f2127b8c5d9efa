"""Lossless JPEG-LS by CharLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities, Codec
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.jpegls import JpeglsCodec


@dataclass(frozen=True)
class JpeglsLosslessInfo(ImagecodecsInfo):
    """Lossless JPEG-LS; no quality axis."""

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        return JpeglsCodec(self, options)


JPEGLS_LOSSLESS = JpeglsLosslessInfo(
    id="jpegls-lossless",
    title="JPEG-LS lossless (CharLS)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".jls",
    libraries=("jpegls",),
)
