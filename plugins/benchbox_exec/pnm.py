"""Reads and writes binary PGM and PPM files (P5, P6) of 8 and 16 bits, as the Netpbm manual describes them."""

from __future__ import annotations

import re

import numpy as np

from benchbox.errors import CorruptImageError
from benchbox.image import MAX_PIXELS, Image, peak

# Magic, width, height and maximum, separated by white space or comments; one white space ends the header.
_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"(P[56])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,5})\s")


def write(pixels: Image) -> bytes:
    """The bytes of a file of (H, W, 1) or (H, W, 3) pixels; 16-bit samples are big-endian."""
    height, width, channels = pixels.shape
    magic = {1: "P5", 3: "P6"}[channels]
    order = pixels.dtype.newbyteorder(">")
    return f"{magic}\n{width} {height}\n{peak(pixels)}\n".encode() + pixels.astype(order).tobytes()


def read(data: bytes) -> Image:
    """(H, W, 1) or (H, W, 3) uint8 or uint16; raises CorruptImageError with the reason."""
    header = _HEADER.match(data)
    if header is None:
        raise CorruptImageError("it is not a binary PGM or PPM file (P5 or P6)")
    width, height, maximum = (int(header[group]) for group in (2, 3, 4))
    if maximum not in (255, 65535):
        raise CorruptImageError(f"its maximum is {maximum}, neither 255 nor 65535")
    if not 0 < width * height <= MAX_PIXELS:
        raise CorruptImageError(f"it claims {width}x{height} pixels")
    dtype = np.dtype(np.uint8 if maximum == 255 else np.uint16)
    shape = (height, width, 1 if header[1] == b"P5" else 3)
    body = data[header.end():]
    if len(body) != int(np.prod(shape)) * dtype.itemsize:
        raise CorruptImageError(f"it holds {len(body)} bytes of samples where {width}x{height} needs "
                                f"{int(np.prod(shape)) * dtype.itemsize}")
    return np.frombuffer(body, dtype.newbyteorder(">")).astype(dtype).reshape(shape)
