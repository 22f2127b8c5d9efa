"""The pixel contract: the one form that pictures have inside benchbox, and the reader that brings files into it.

An `Image` is a C-contiguous numpy array of shape (H, W, C), dtype uint8 or uint16 (peak 65535), C = 1 gray, 3 RGB,
4 RGBA with straight alpha; values are sRGB-coded. Reading canonicalises without loss: palette, 1-bit and gray+alpha
expand, EXIF orientation is applied, an opaque alpha channel is dropped, 16-bit files keep 16 bits. A profile other
than sRGB is noted, never converted. CMYK, animations, 32-bit and other pictures that this form cannot hold are refused
by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox import reading
from benchbox.errors import ImageError
from benchbox.files import whole_file
from benchbox.reading import MAX_PIXELS as MAX_PIXELS

Image: TypeAlias = NDArray[np.unsignedinteger[Any]]

_SUFFIXES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm",
             ".pnm", ".avif", ".jp2", ".j2k", ".gif", ".tga")  # fmt: skip

_FIRST_BYTES = 1 << 12
"""Bytes of two pictures that are compared first."""


@dataclass(frozen=True)
class Picture:
    """A picture read from a file: `pixels` under the pixel contract, and `notes` about the file (a profile that was
    not converted, an orientation that was applied)."""

    pixels: Image
    notes: tuple[str, ...] = ()


def is_picture_name(name: str) -> bool:
    """Whether a search for pictures in a folder takes a file of this name: a picture's suffix, and not hidden."""
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def peak(pixels: Image) -> int:
    """Largest value of the dtype: 255 or 65535."""
    return int(np.iinfo(pixels.dtype).max)


def check(pixels: Any, source: str) -> Image:
    """Return `pixels`, made C-contiguous, if it keeps the pixel contract.

    Raises:
        ImageError: it does not; the message names `source` and the breach.
    """
    if not isinstance(pixels, np.ndarray):
        raise ImageError(f"{source}: expected a numpy array (H, W, C), got {type(pixels).__name__}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{source}: dtype {pixels.dtype} is neither uint8 nor uint16")
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise ImageError(f"{source}: shape {pixels.shape} is not (H, W, C) with C of 1, 3 or 4")
    return np.ascontiguousarray(pixels)


def digest(pixels: Image) -> str:
    """SHA-256 (hex) of one header line with shape and dtype, followed by the values in little-endian order."""
    height, width, channels = pixels.shape
    header = f"benchbox pixels 1 {height}x{width}x{channels} {pixels.dtype.name}\n".encode()
    data = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    sha = hashlib.sha256(header)
    sha.update(data.data)
    return sha.hexdigest()


def same(a: Image, b: Image) -> bool:
    """Whether two pictures have the same shape, dtype and values. Eight bytes are compared at a time, which takes a
    fifth of the time of `numpy.array_equal`."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    one, other = (np.ascontiguousarray(pixels).reshape(-1).view(np.uint8) for pixels in (a, b))
    whole = one.size // 8 * 8
    if not np.array_equal(one[:_FIRST_BYTES], other[:_FIRST_BYTES]):  # as of most pictures that differ
        return False
    return bool(np.array_equal(one[:whole].view(np.uint64), other[:whole].view(np.uint64))
                and np.array_equal(one[whole:], other[whole:]))  # fmt: skip


def composite(pixels: Image, background: int) -> Image:
    """Composite RGBA `pixels` over gray `background` (0 .. peak): (H, W, 3) of the same dtype, rounded to nearest.

    Source: T. Porter and T. Duff, "Compositing digital images", 1984: the operator "over" with straight alpha and an
    opaque background, on the sRGB-coded values.
    """
    top = peak(pixels)
    alpha = pixels[:, :, 3:].astype(np.uint64)
    colour = pixels[:, :, :3].astype(np.uint64)
    mixed = (colour * alpha + np.uint64(background) * (top - alpha) + np.uint64(top // 2)) // np.uint64(top)
    return np.asarray(mixed, dtype=pixels.dtype)


def read(path: str | Path) -> Picture:
    """Read one picture file under the pixel contract.

    Raises:
        CorruptImageError: the file is missing, empty, damaged or not a picture.
        UnsupportedImageError: the file is sound, but CMYK, animated, too large or otherwise outside the contract.
    """
    pixels, remarks = reading.decode(Path(path))
    return Picture(check(pixels, str(path)), tuple(remarks))


def read_unchecked(path: str | Path) -> Image:
    """The pixels that `read` gives, without its checks for damage, which may take as long as decoding: for whoever
    compares them with a digest that `read` gave. What a damaged PNG lacks may be black.

    Raises:
        CorruptImageError, UnsupportedImageError: as `read` does.
    """
    return check(reading.decode(Path(path), whole=False)[0], str(path))


def notes(path: str | Path) -> tuple[str, ...]:
    """The notes that `read` makes, without decoding the pixels where that is possible; () if it cannot be read."""
    try:
        return tuple(reading.notes(Path(path)))
    except ImageError:
        return ()


def declared_size(path: str | Path) -> tuple[int, int] | None:
    """(width, height) from the file's header, before any EXIF orientation; None if the header cannot be read."""
    return reading.declared_size(path)


def write_png(path: str | Path, pixels: Image) -> None:
    """Write `pixels` to a PNG file of the same bit depth and channels. Raises ImageError if that fails."""
    import imagecodecs

    # numpy leaves the strides of axes of length 1 undefined and imagecodecs reads them: reshaping defines them.
    shape = pixels.shape[:2] if pixels.shape[2] == 1 else pixels.shape
    data = imagecodecs.png_encode(np.ascontiguousarray(pixels).reshape(-1).reshape(shape))
    with whole_file(Path(path), ImageError) as part:
        part.write_bytes(data)
