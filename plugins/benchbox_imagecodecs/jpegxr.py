"""Lossy JPEG XR by jxrlib. Chroma is 4:2:0 below level 50 and 4:4:4 from there on, and the overlap filter changes too:
the rule of jxrlib's own encoder program, which imagecodecs follows and lets nobody change."""

from __future__ import annotations

import math
import re
import struct
from typing import Any

import numpy as np

from benchbox.codec import Capabilities, QualityAxis
from benchbox.image import Image
from benchbox_imagecodecs.common import ImagecodecsCodec, ImagecodecsInfo


class JpegxrStream(ImagecodecsCodec):
    """Shared by lossy and lossless JPEG XR."""

    def whole(self, data: bytes) -> bool:
        return _end(data) == len(data)

    def claimed(self, data: bytes) -> tuple[int, int]:
        return _size(data)

    def read(self, data: bytes) -> Any:
        import imagecodecs

        return imagecodecs.jpegxr_decode(data)


class JpegxrCodec(JpegxrStream):
    """See `ImagecodecsCodec`."""

    def refusal(self, image: Image, quality: float) -> str | None:
        reason = super().refusal(image, quality)
        if reason is None and image.dtype == np.uint8 and quality < 50 and image.shape[1] <= 16:
            reason = f"{image.shape[1]} pixels of width are too few below level 50; jxrlib needs 17"
        return reason

    def write(self, pixels: Any, quality: float) -> bytes:
        import imagecodecs

        return bytes(imagecodecs.jpegxr_encode(pixels, level=quality / 100, hasalpha=pixels.shape[2:] == (4,)))


def _end(data: bytes) -> int:
    """Where the stream ends by its directory (ITU-T T.832 annex A: a TIFF-like file), or -1 if it has none.

    Tags 0xBCC0 and 0xBCC1 are the image's offset and byte count. Where there is alpha, jxrlib writes 0xBCC3: the end of
    the file.
    """
    tags: dict[int, int] = {}
    try:
        (offset,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, offset)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from("<HHII", data, offset + 2 + 12 * entry)
            tags[tag] = value
    except struct.error:
        return -1
    return tags[0xBCC3] if 0xBCC3 in tags else tags.get(0xBCC0, 0) + tags.get(0xBCC1, -1)


def _size(data: bytes) -> tuple[int, int]:
    """(width, height) by the header of the codestream (ITU-T T.832, 8.3), which jxrlib believes more than the file's
    directory; of the larger where alpha has one too; (0, 0) where there is none."""
    sizes = [(0, 0)]
    for header in re.finditer(rb"WMPHOTO\0..(.).(.{8})", data, re.DOTALL):
        short = header[1][0] & 0x80  # SHORT_HEADER_FLAG: two bytes for a side, else four
        width, height = struct.unpack(">HH", header[2][:4]) if short else struct.unpack(">II", header[2])
        sizes.append((width + 1, height + 1))
    return max(sizes, key=math.prod)


JPEGXR = ImagecodecsInfo(
    id="jpegxr",
    title="JPEG XR (jxrlib)",
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16})),
    suffix=".jxr",
    quality=QualityAxis("level", (1, 5, 10, 20, 30, 40, 48, 55, 60, 65, 70, 75, 80), 1, 99),
    codec_class=JpegxrCodec,
    libraries=("jpegxr",),
)
