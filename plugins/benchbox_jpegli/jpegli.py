"""Jpegli through pyjpegli, which sets the quality and nothing else: YCbCr 4:2:0, one sequential scan, adaptive
quantisation. (Its own command cjpegli writes 4:4:4, progressive, by default.) It decodes to 8-bit RGB."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, QualityAxis
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import MAX_PIXELS, Image

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""


class JpegliInfo(CodecInfo):
    """Jpegli."""

    def identity(self, options: Any) -> str:
        import pyjpegli

        # Jpegli is linked into pyjpegli and has no version of its own.
        return f"benchbox_jpegli {VERSION} pyjpegli {pyjpegli.__version__}"

    def unavailable(self) -> str | None:
        try:
            import pyjpegli  # noqa: F401
        except ImportError as error:
            return f'pyjpegli cannot be imported ({error}); run: pip install "benchbox[jpegli]"'
        return None


class JpegliCodec(CheckedCodec):
    """Writes and reads JPEG files in memory."""

    def compress(self, image: Image, quality: float) -> bytes:
        import pyjpegli

        try:
            data: bytes = pyjpegli.encode(image.tobytes(), image.shape[1], image.shape[0], int(quality))
        except (RuntimeError, ValueError) as error:
            raise CodecError(f"{self.info.id}: Jpegli could not encode: {error}") from error
        return data

    def decode(self, data: bytes) -> Image:
        # Jpegli itself accepts a stream without its end marker.
        if not data.endswith(b"\xff\xd9"):
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are truncated or of another format")
        import pyjpegli

        try:
            pixels, width, height = pyjpegli.decode(data, max_pixels=MAX_PIXELS)
        except (RuntimeError, ValueError, MemoryError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded ({reason})") from error
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3).copy()


JPEGLI = JpegliInfo(
    id="jpegli",
    title="Jpegli",
    capabilities=Capabilities(channels=frozenset({3}), max_size=65500),  # 65500: libjpeg's JPEG_MAX_DIMENSION
    suffix=".jpg",
    quality=QualityAxis("quality", (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95), 1, 100, integer=True),
    codec_class=JpegliCodec,
)
