"""Shared by the codecs of imagecodecs: availability, identity, shapes, and the errors of benchbox.

imagecodecs is imported inside functions only, so that listing the codecs does not import it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbox.codec import CheckedCodec, CodecInfo
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import MAX_PIXELS, Image

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""


@dataclass(frozen=True)
class ImagecodecsInfo(CodecInfo):
    """A codec inside imagecodecs. `libraries` are the prefixes of its functions, e.g. ``("jpegxl",)``."""

    libraries: tuple[str, ...] = ()

    def identity(self, options: Any) -> str:
        import imagecodecs

        versions = " ".join(getattr(imagecodecs, f"{name}_version")() for name in self.libraries)
        return f"benchbox_imagecodecs {VERSION} imagecodecs {imagecodecs.__version__} {versions}"

    def unavailable(self) -> str | None:
        try:
            import imagecodecs
        except ImportError as error:
            return f"imagecodecs cannot be imported ({error}); run: pip install 'imagecodecs>=2026.3.6'"
        for name in self.libraries:
            if not getattr(imagecodecs, name.upper()).available:
                return (f"this imagecodecs was built without {name}; "
                        "run: pip install --force-reinstall 'imagecodecs>=2026.3.6'")
        return None


class ImagecodecsCodec(CheckedCodec):
    """A pair of imagecodecs functions, for which gray is (H, W)."""

    @abstractmethod
    def write(self, pixels: Any, quality: float) -> bytes:
        """Encode (H, W) or (H, W, C) `pixels`; `quality` is 0 for a lossless codec."""

    @abstractmethod
    def read(self, data: bytes) -> Any:
        """Decode a stream that is `whole` to (H, W) or (H, W, C) pixels."""

    def whole(self, data: bytes) -> bool:
        """Whether `data` is complete, for libraries that accept a truncated stream without an error."""
        return True

    def claimed(self, data: bytes) -> tuple[int, int]:
        """(width, height) by the header of `data`, for libraries that take the memory of any size; else (0, 0)."""
        return 0, 0

    def compress(self, image: Image, quality: float) -> bytes:
        # numpy leaves the strides of sides of 1 to chance, and some libraries read them: reshaping sets them right.
        pixels = image.reshape(-1).reshape(image.shape[:2] if image.shape[2] == 1 else image.shape)
        try:
            return self.write(pixels, quality)
        except (RuntimeError, ValueError) as error:  # imagecodecs derives its own errors from RuntimeError
            raise CodecError(f"{self.info.id}: {self.info.title} could not encode: {_line(error)}") from error

    def decode(self, data: bytes) -> Image:
        if not data or not self.whole(data):
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are truncated or of another format")
        width, height = self.claimed(data)
        if width * height > MAX_PIXELS:
            raise CorruptBitstream(f"{self.info.id}: the header claims {width}x{height}, above {MAX_PIXELS} pixels")
        try:
            pixels = np.asarray(self.read(data))
        except Exception as error:  # RuntimeError, ValueError, NotImplementedError, MemoryError ... on damage
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded "
                                   f"({type(error).__name__}: {_line(error)})") from error
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.dtype not in (np.uint8, np.uint16):
            raise CorruptBitstream(f"{self.info.id}: pixels of shape {pixels.shape} and dtype {pixels.dtype} "
                                   "are no picture of this codec")
        return np.ascontiguousarray(pixels)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
