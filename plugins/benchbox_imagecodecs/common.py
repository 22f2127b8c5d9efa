"""What the imagecodecs codecs share: availability, identity, shapes, and errors in benchbox's terms.

imagecodecs is imported inside functions only, so that listing codecs costs nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbox.codec import Codec, CodecInfo, checked_quality
from benchbox.errors import CodecError, CorruptBitstream, UnsupportedImageError
from benchbox.image import Image

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""


@dataclass(frozen=True)
class ImagecodecsInfo(CodecInfo):
    """A codec inside imagecodecs. `libraries` are the names that its functions begin with, e.g. ``("jpegxl",)``."""

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


class ImagecodecsCodec(Codec):
    """A pair of imagecodecs functions. They take and give gray as (H, W)."""

    def __init__(self, info: CodecInfo, options: Any) -> None:
        info.require()
        self._info = info
        self._options = options
        self._axis = info.axis(options)

    @abstractmethod
    def compress(self, pixels: Any, quality: float) -> bytes:
        """The stream of (H, W) or (H, W, C) `pixels`; `quality` is 0 for a lossless codec."""

    @abstractmethod
    def decompress(self, data: bytes) -> Any:
        """(H, W) or (H, W, C) pixels of a stream that is `whole`."""

    def whole(self, data: bytes) -> bool:
        """Whether `data` has the length it should, for libraries that let a lost tail pass in silence."""
        return True

    def refusal(self, image: Image, quality: float) -> str | None:
        """Why this picture is not taken at this quality, or None."""
        return self._info.capabilities.refusal(image)

    def encode(self, image: Image, quality: float | None) -> bytes:
        value = checked_quality(self._axis, quality, self._info.id) or 0.0
        reason = self.refusal(image, value)
        if reason is not None:
            raise UnsupportedImageError(f"{self._info.id}: {reason}")
        # numpy leaves the strides of sides of 1 to chance, and some libraries read them: reshaping sets them right.
        pixels = image.reshape(-1).reshape(image.shape[:2] if image.shape[2] == 1 else image.shape)
        try:
            return self.compress(pixels, value)
        except (RuntimeError, ValueError) as error:  # imagecodecs derives its own errors from RuntimeError
            raise CodecError(f"{self._info.id}: {self._info.title} could not encode: {_line(error)}") from error

    def decode(self, data: bytes) -> Image:
        if not data or not self.whole(data):
            raise CorruptBitstream(f"{self._info.id}: {len(data)} bytes that are truncated or of another format")
        try:
            pixels = np.asarray(self.decompress(data))
        except Exception as error:  # RuntimeError, ValueError, NotImplementedError, MemoryError ... on damage
            raise CorruptBitstream(f"{self._info.id}: the stream cannot be decoded "
                                   f"({type(error).__name__}: {_line(error)})") from error
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.dtype not in (np.uint8, np.uint16):
            raise CorruptBitstream(f"{self._info.id}: pixels of shape {pixels.shape} and dtype {pixels.dtype} "
                                   "are no picture of this codec")
        return np.ascontiguousarray(pixels)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
