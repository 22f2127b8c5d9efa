"""Lossless HTJ2K: encoded by OpenJPH with the reversible 5/3 wavelet and colour transform, decoded by OpenJPEG."""

from __future__ import annotations

from benchbox.codec import Capabilities
from benchbox_imagecodecs.common import ImagecodecsInfo
from benchbox_imagecodecs.htj2k import Htj2kStream, Options


class Htj2kLosslessCodec(Htj2kStream):
    """See `ImagecodecsCodec`."""

    reversible = True


HTJ2K_LOSSLESS = ImagecodecsInfo(
    id="htj2k-lossless",
    title="HTJ2K lossless (OpenJPH)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True),
    suffix=".j2c",
    codec_class=Htj2kLosslessCodec,
    libraries=("htj2k", "jpeg2k"),
)
