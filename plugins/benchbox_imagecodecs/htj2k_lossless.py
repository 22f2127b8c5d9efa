"""Lossless HTJ2K: encoded by OpenJPH with the reversible 5/3 wavelet and colour transform, decoded by OpenJPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities, Codec
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.htj2k import Htj2kStream, Options


@dataclass(frozen=True)
class Htj2kLosslessInfo(ImagecodecsInfo):
    """Lossless HTJ2K; no quality axis."""

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        return Htj2kLosslessCodec(self, options)


class Htj2kLosslessCodec(Htj2kStream):
    """See `ImagecodecsCodec`."""

    reversible = True


HTJ2K_LOSSLESS = Htj2kLosslessInfo(
    id="htj2k-lossless",
    title="HTJ2K lossless (OpenJPH)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".j2c",
    libraries=("htj2k", "jpeg2k"),
)
