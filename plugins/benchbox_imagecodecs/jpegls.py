"""Near-lossless JPEG-LS by CharLS. JPEG-LS has no colour transform: the channels are coded as they are."""

from __future__ import annotations

from typing import Any

from benchbox.codec import Capabilities, QualityAxis
from benchbox.image import MAX_PIXELS
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo


class JpeglsCodec(ImagecodecsCodec):
    """See `ImagecodecsCodec`. Lossless is near 0."""

    def whole(self, data: bytes) -> bool:
        # imagecodecs writes a SPIFF header (ITU-T T.84, F.2.1) before the frame; it holds the height and the width.
        # The stream closes with EOI, without which CharLS needs seconds to see that something is missing.
        height, width = (int.from_bytes(data[start:start + 4], "big") for start in (16, 20))
        return data[6:12] == b"SPIFF\0" and data.endswith(b"\xff\xd9") and 0 < width * height <= MAX_PIXELS

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        # imagecodecs reserves as many bytes as the pixels have, which pictures that do not compress exceed. No code is
        # longer than four samples (LIMIT in ITU-T T.87, A.2.1), and bit stuffing adds one bit in seven at most.
        try:
            return bytes(imagecodecs.jpegls_encode(pixels, level=int(quality), out=2 * pixels.nbytes + 4096))
        except imagecodecs.JpeglsError:
            return bytes(imagecodecs.jpegls_encode(pixels, level=int(quality), out=5 * pixels.nbytes + 4096))

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.jpegls_decode(data)


JPEGLS = ImagecodecsInfo(
    id="jpegls",
    title="JPEG-LS near-lossless (CharLS)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16})),
    suffix=".jls",
    # The greatest error of a sample in levels; the size rises as it falls. 8 bits allow 127 (ITU-T T.87, C.2.3). Above
    # about 60 a run of one value costs less than a finer step, so the size stops falling.
    quality=QualityAxis("near", (60, 50, 40, 30, 25, 20, 16, 12, 9, 7, 5, 3, 2, 1), 1, 127, "levels", integer=True),
    codec_class=JpeglsCodec,
    libraries=("jpegls",),
)
