"""Pictures of more than 8 bits per channel: find out which they are, and decode them without losing bits.

Pillow opens most of them as 8-bit without a warning, so the depth is read from the file itself.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import UnsupportedImageError


def bit_depth(data: bytes, picture: Any) -> int:
    """Bits per channel that the file declares; `picture` is the PIL image that was opened from its bytes `data`."""
    if picture.format == "PPM":
        return 16 if _pnm_maximum(picture) > 255 else 8
    if picture.mode.startswith("I;16"):
        return 16
    if picture.format == "PNG":
        return _byte(data, b"IHDR", 12)  # bit depth (PNG specification, 11.2.1)
    if picture.format == "AVIF":
        flags = _byte(data, b"av1C", 6)  # bits 6 and 5: high_bitdepth, twelve_bit (AV1-ISOBMFF, 2.3.3)
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    if picture.format == "JPEG2000":
        return (_byte(data, b"\xff\x4f\xff\x51", 42) & 0x7F) + 1  # Ssiz after SOC and SIZ (ISO/IEC 15444-1, A.5.1)
    return 8


def decode(path: Path, data: bytes, picture: Any) -> NDArray[np.unsignedinteger[Any]]:
    """Decode a picture whose `bit_depth` is above 8 to (H, W, C) uint16; C is 1, 2 (gray with alpha), 3 or 4.

    `picture` is the PIL image that was opened from the bytes `data` of the file `path`. Values are as the file has
    them, 0 .. 65535. A PNG of up to 8 bits is decoded to uint8.

    Raises:
        UnsupportedImageError: the format or depth would lose bits.
    """
    if picture.format == "PNG":
        return _three_axes(_decode_png(data))
    depth = bit_depth(data, picture)
    if picture.format == "PPM" and picture.mode == "I" and picture.tile[0].args == "I;16B":  # maxval 65535
        return _three_axes(np.asarray(picture).astype(np.uint16))
    if picture.mode.startswith("I;16") and depth == 16:
        return _three_axes(np.asarray(picture).astype(np.uint16))
    raise UnsupportedImageError(f"{path}: {picture.format} of mode {picture.mode} with {depth} bits per channel; "
                                "convert it to a 16-bit PNG first")


def _byte(data: bytes, mark: bytes, offset: int) -> int:
    """The byte at `offset` from the start of the first `mark` in the file; 0 if the file has none."""
    place = data.find(mark)
    return data[place + offset] if 0 <= place < len(data) - offset else 0


def _pnm_maximum(picture: Any) -> int:
    args = picture.tile[0].args if picture.tile else ()
    if args == "I;16B":
        return 65535
    return int(args[1]) if isinstance(args, tuple) and len(args) > 1 and isinstance(args[1], int) else 255


def _three_axes(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _decode_png(data: bytes) -> NDArray[Any]:
    """Decode a PNG, interlaced or not, with libpng: gray of fewer than 8 bits is scaled to 8, a transparent colour
    becomes alpha."""
    import imagecodecs

    logging.getLogger("imagecodecs").addFilter(_is_about_the_picture)  # does nothing where it is there already
    return np.asarray(imagecodecs.png_decode(data))


def _is_about_the_picture(record: logging.LogRecord) -> bool:
    """Whether to keep a record of imagecodecs' logger; Python prints records that no handler takes.

    libpng remarks on every interlaced file that its caller (imagecodecs) should have announced interlacing. The pixels
    are right all the same, and the user can change neither. The filter stays in place: taking it off after each
    picture would let another thread's record through.
    """
    return "Interlace handling should be turned on" not in record.getMessage()
