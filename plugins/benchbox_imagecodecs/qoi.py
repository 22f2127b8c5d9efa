"""QOI, the Quite OK Image format, by its reference code."""

from __future__ import annotations

from typing import Any

from benchbox.codec import Capabilities
from benchbox.image import MAX_PIXELS
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo

_AROUND = 14 + 8  # bytes of the header and of the end marker
_LONGEST_RUN = 62  # the most pixels that one byte encodes (specification)


class QoiCodec(ImagecodecsCodec):
    """See `ImagecodecsCodec`."""

    def whole(self, data: bytes) -> bool:
        # The end marker of the specification: the reference code itself fills what is missing with the last pixel, up
        # to hundreds of megabytes where the size in the header is damaged.
        width, height = (int.from_bytes(data[start:start + 4], "big") for start in (4, 8))
        most = min(MAX_PIXELS, _LONGEST_RUN * (len(data) - _AROUND))
        return data.endswith(bytes(7) + b"\x01") and 0 < width * height <= most

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.qoi_encode(pixels))

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.qoi_decode(data)


QOI = ImagecodecsInfo(
    id="qoi",
    title="QOI (reference code)",
    capabilities=Capabilities(channels=frozenset({3, 4}), lossless=True),
    suffix=".qoi",
    codec_class=QoiCodec,
    libraries=("qoi",),
)
