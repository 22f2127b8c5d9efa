"""PNG files built chunk by chunk, so that tests can write what no library writes; and files put into a folder."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, column step, row step of each pass (PNG specification, 8.1)."""


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes, interlaced: bool = False
) -> bytes:
    """A PNG of one IDAT chunk; `rows` are its filtered scanlines, `extra` whole chunks in front of it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return SIGNATURE + head + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def interlaced_png(pixels: NDArray[np.uint16], *extra: bytes) -> bytes:
    """An interlaced 16-bit PNG of `pixels` (H, W, C); the scanlines take turns with the filters None, Sub and Up.

    Passes without pixels are left out (PNG specification, 8.1).
    """
    height, width, channels = pixels.shape
    rows, colour = b"", {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    for x, y, dx, dy in ADAM7:
        part = pixels[y::dy, x::dx]
        if part.size:
            lines = np.frombuffer(part.astype(">u2").tobytes(), np.uint8).reshape(len(part), -1)
            rows += _filtered(lines, 2 * channels)
    return png(width, height, 16, colour, rows, *extra, interlaced=True)


def _filtered(lines: NDArray[np.uint8], pixel_bytes: int) -> bytes:
    """Scanlines with their filter bytes (PNG specification, 9.2)."""
    left, above = np.zeros_like(lines), np.zeros_like(lines)
    left[:, pixel_bytes:] = lines[:, :-pixel_bytes]
    above[1:] = lines[:-1]
    filtered = [lines, lines - left, lines - above]  # modulo 256
    return b"".join(bytes([row % 3]) + filtered[row % 3][row].tobytes() for row in range(len(lines)))


def put(folder: Path, data: bytes, name: str = "picture.png") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def saved(folder: Path, picture: Any, name: str, **options: Any) -> Path:
    """Save a PIL image as `name`."""
    picture.save(folder / name, **options)
    return folder / name
