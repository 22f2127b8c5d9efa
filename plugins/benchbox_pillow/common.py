"""Shared by the Pillow codecs: availability, identity, encoding by `Image.save`, decoding that trusts no byte.

PIL is imported inside functions only, so that listing the codecs does not import it.
"""

from __future__ import annotations

import io
import threading
import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchbox.codec import CheckedCodec, CodecInfo
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import MAX_PIXELS, Image, peak

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""

# Guards what is global in Pillow and in Python's warnings: warning filters, ImageFile.MAXBLOCK, AVIF's thread count.
PILLOW_GLOBALS = threading.Lock()


@dataclass(frozen=True)
class PillowInfo(CodecInfo):
    """A codec inside Pillow. `feature` is its name in `PIL.features`, `library` the name of the library behind it."""

    feature: str = ""
    library: str = ""

    def identity(self, options: Any) -> str:
        import PIL
        from PIL import features

        return f"benchbox_pillow {VERSION} Pillow {PIL.__version__} {self.library} {features.version(self.feature)}"

    def unavailable(self) -> str | None:
        try:
            from PIL import features
        except ImportError as error:
            return f"Pillow cannot be imported ({error}); run: pip install 'pillow>=12'"
        if not features.check(self.feature):
            return f"this Pillow was built without {self.library}; run: pip install --force-reinstall 'pillow>=12'"
        return None


class PillowCodec(CheckedCodec):
    """Encodes through `Image.save` and decodes through `Image.open` of one format.

    Attributes:
        format: Pillow's name of the format.
        end: the last bytes of every whole stream.
    """

    format: ClassVar[str]
    end: ClassVar[bytes] = b""

    @abstractmethod
    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        """Keyword arguments of `PIL.Image.Image.save`; `quality` is 0 for a lossless codec."""

    def refusal(self, image: Image, quality: float) -> str | None:
        reason = super().refusal(image, quality)
        if reason is None and image.dtype == np.uint16 and image.shape[2] != 1:
            reason = "Pillow holds 16-bit pictures in gray only"
        return reason

    def compress(self, image: Image, quality: float) -> bytes:
        settings = self.settings(image, quality)
        from PIL import Image as PillowImage

        buffer = io.BytesIO()
        try:
            picture = PillowImage.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
            self.save(picture, buffer, settings)
        except (OSError, ValueError, RuntimeError) as error:
            raise CodecError(f"{self.info.id}: {self.info.title} could not encode: {error}") from error
        return buffer.getvalue()

    def save(self, picture: Any, buffer: io.BytesIO, settings: dict[str, Any]) -> None:
        """Write the PIL image `picture` into `buffer`; a codec that must set a global of Pillow overrides this."""
        picture.save(buffer, self.format, **settings)

    def decode(self, data: bytes) -> Image:
        if not self.whole(data):
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are truncated or of another format")
        try:
            picture = self._open(data)
            self._check_header(picture)
            picture.load()
            pixels = np.array(picture)
        except CorruptBitstream:
            raise
        except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, EOFError, MemoryError ...
            reason = (str(error).splitlines() or [""])[0]
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded "
                                   f"({type(error).__name__}: {reason})") from error
        return self.restore(data, np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels))

    def whole(self, data: bytes) -> bool:
        """Whether `data` ends like a whole stream; the libraries themselves often accept a truncated one."""
        return len(data) > 0 and data.endswith(self.end)

    def open(self, data: bytes) -> Any:
        """The PIL image of `data`, not yet decoded."""
        from PIL import Image as PillowImage

        return PillowImage.open(io.BytesIO(data), formats=(self.format,))

    def restore(self, data: bytes, pixels: Image) -> Image:
        """`pixels`, (H, W, C), with the channel count that the encoded picture had."""
        return pixels

    def _open(self, data: bytes) -> Any:
        from PIL import Image as PillowImage

        with PILLOW_GLOBALS, warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns where the stream is damaged
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)  # bounded by MAX_PIXELS instead
            return self.open(data)

    def _check_header(self, picture: Any) -> None:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise CorruptBitstream(f"{self.info.id}: the header claims {width}x{height}, above {MAX_PIXELS} pixels")
        if picture.mode not in ("L", "RGB", "RGBA", "I;16") or getattr(picture, "n_frames", 1) != 1:
            raise CorruptBitstream(f"{self.info.id}: a picture of mode {picture.mode} and "
                                   f"{getattr(picture, 'n_frames', 1)} frames is not a stream of this codec")


def opaque(image: Image) -> bool:
    """Whether `image` is RGBA with alpha at its peak everywhere, which WebP and AVIF drop."""
    return image.shape[2] == 4 and bool((image[:, :, 3] == peak(image)).all())


OPAQUE = "RGBA with opaque alpha would come back as RGB; drop the alpha channel first"
"""The reason why a picture is refused for which `opaque` is true."""
