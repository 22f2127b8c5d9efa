"""Pictures of more than 8 bits a channel: which they are, and how they are decoded without losing bits.

Pillow opens most of them as 8-bit without a word, so the depth is read from the file itself.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import UnsupportedImageError

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, column step, row step of each pass (PNG specification, 8.1)."""

_PNG = b"\x89PNG\r\n\x1a\n"


def bit_depth(path: Path, picture: Any) -> int:
    """Bits a channel as the file declares them; `picture` is the PIL image that was opened from `path`."""
    if picture.format == "TIFF":
        return int(max(picture.tag_v2.get(258, (8,))))  # tag 258: BitsPerSample
    if picture.format == "PPM":
        return 16 if _pnm_maximum(picture) > 255 else 8
    if picture.mode.startswith("I;16"):
        return 16
    if picture.format == "PNG":
        return _byte(path, b"IHDR", 12)  # bit depth (PNG specification, 11.2.1)
    if picture.format == "AVIF":
        flags = _byte(path, b"av1C", 6)  # bits 6 and 5: high_bitdepth, twelve_bit (AV1-ISOBMFF, 2.3.3)
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    if picture.format == "JPEG2000":
        return (_byte(path, b"\xff\x4f\xff\x51", 42) & 0x7F) + 1  # Ssiz after SOC and SIZ (ISO/IEC 15444-1, A.5.1)
    return 8

def decode(path: Path, picture: Any) -> NDArray[np.uint16]:
    """(H, W, C) uint16, C of 1 to 4 (2: gray with alpha), of a picture whose `bit_depth` is above 8.

    Raises:
        UnsupportedImageError: a format or depth that cannot be kept as it is.
    """
    if picture.format == "PNG":
        return _three_axes(_decode_png(path.read_bytes()))
    depth = bit_depth(path, picture)
    if picture.format == "PPM" and picture.mode == "I" and picture.tile[0].args == "I;16B":  # maxval 65535
        return _three_axes(np.asarray(picture).astype(np.uint16))
    if picture.mode.startswith("I;16") and depth == 16:
        return _three_axes(np.asarray(picture).astype(np.uint16))
    raise UnsupportedImageError(f"{path}: {picture.format} of mode {picture.mode} with {depth} bits a channel; "
                                "convert it to a 16-bit PNG first")


def _byte(path: Path, mark: bytes, offset: int) -> int:
    """The byte `offset` behind the first `mark` in the file; 0 where there is none."""
    data = path.read_bytes()
    place = data.find(mark)
    return data[place + offset] if 0 <= place < len(data) - offset else 0


def _pnm_maximum(picture: Any) -> int:
    args = picture.tile[0].args if picture.tile else ()
    if args == "I;16B":
        return 65535
    return int(args[1]) if isinstance(args, tuple) and len(args) > 1 and isinstance(args[1], int) else 255


def _three_axes(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _decode_png(data: bytes) -> NDArray[np.uint16]:
    """A 16-bit PNG by libpng. An interlaced one pass by pass: imagecodecs makes libpng warn on stderr for these."""
    import imagecodecs

    if data[28] == 0:  # IHDR: interlace method
        return np.asarray(imagecodecs.png_decode(data))
    width, height, head = *struct.unpack_from(">II", data, 16), data[24:28]
    chunks = list(_chunks(data))
    kept = [chunk for chunk in chunks if chunk[0] == b"tRNS"]
    samples = 2 * {0: 1, 2: 3, 4: 2, 6: 4}[head[1]]  # bytes a pixel, by colour type
    # Every scanline has one byte more, for its filter; more data than that is ignored, as PNG decoders do.
    sizes = [(-(-(height - y) // dy), -(-(width - x) // dx)) for x, y, dx, dy in _ADAM7]
    total = sum(rows * (1 + columns * samples) for rows, columns in sizes if columns > 0)
    raw = zlib.decompressobj().decompress(b"".join(body for name, body in chunks if name == b"IDAT"), total)
    pixels: NDArray[np.uint16] | None = None
    position = 0
    for (x, y, dx, dy), (rows, columns) in zip(_ADAM7, sizes, strict=True):
        if rows <= 0 or columns <= 0:
            continue
        size = rows * (1 + columns * samples)
        header = struct.pack(">II", columns, rows) + head + b"\0"
        body = zlib.compress(raw[position:position + size], 0)
        part = np.asarray(imagecodecs.png_decode(_png([(b"IHDR", header), *kept, (b"IDAT", body), (b"IEND", b"")])))
        if pixels is None:
            pixels = np.empty((height, width, *part.shape[2:]), part.dtype)
        pixels[y::dy, x::dx] = part
        position += size
    assert pixels is not None  # the first pass holds the top left pixel of every picture
    return pixels


def _chunks(data: bytes) -> Any:
    position = len(_PNG)
    while position + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        yield name, data[position + 8:position + 8 + size]
        position += size + 12


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [_PNG]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(name + body))]
    return b"".join(parts)
