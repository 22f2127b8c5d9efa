"""QOI, the Quite OK Image format, by its reference code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities, Codec
from benchbox.image import MAX_PIXELS
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo

#: Bytes around the pixels: header and end marker. Pixels that one byte can stand for: the longest run (specification).
_AROUND, _LONGEST_RUN = 14 + 8, 62


@dataclass(frozen=True)
class QoiInfo(ImagecodecsInfo):
    """QOI; no quality axis."""

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        return QoiCodec(self, options)


class QoiCodec(ImagecodecsCodec):
    """See `ImagecodecsCodec`."""

    def whole(self, data: bytes) -> bool:
        # The end marker of the specification; the reference code itself fills a lost tail with its last pixel, and a
        # size that the bytes cannot pay for with hundreds of megabytes of it.
        width, height = (int.from_bytes(data[start:start + 4], "big") for start in (4, 8))
        most = min(MAX_PIXELS, _LONGEST_RUN * (len(data) - _AROUND))
        return data.endswith(bytes(7) + b"\x01") and 0 < width * height <= most

    def compress(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.qoi_encode(pixels))

    def decompress(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.qoi_decode(data)


QOI = QoiInfo(
    id="qoi",
    title="QOI (reference code)",
    capabilities=Capabilities(channels=frozenset({3, 4}), lossless=True),
    suffix=".qoi",
    libraries=("qoi",),
)
