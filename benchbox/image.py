"""The pixel contract: the one form that pictures have inside benchbox, and the reader that brings files into it.

An `Image` is a C-contiguous numpy array of shape (H, W, C), dtype uint8 or uint16 (peak 65535), C = 1 gray, 3 RGB,
4 RGBA with straight alpha; values are sRGB-coded. Reading canonicalises without loss: palette, 1-bit and gray+alpha
expand, EXIF orientation is applied, an opaque alpha channel is dropped, 16-bit files keep 16 bits. A profile other
than sRGB is noted, never converted. CMYK, animations, 32-bit and other pictures that this form cannot hold are refused
by name.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox import depth
from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.files import whole_file

Image: TypeAlias = NDArray[np.unsignedinteger[Any]]

MAX_PIXELS = 178_000_000
"""Largest picture that is read, in pixels. Pillow refuses more as a decompression bomb (twice its warning limit)."""

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pnm", ".avif", ".jp2", ".gif")

# Image.open may warn about large pictures; catch_warnings is not safe in two threads at once.
_OPEN_LOCK = threading.Lock()


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
    path = Path(path)
    try:
        if path.stat().st_size == 0:
            raise CorruptImageError(f"{path}: the file is empty; remove it or replace it with a whole copy")
        pixels, notes = _read_pillow(path)
    except ImageError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise CorruptImageError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
    except OSError as error:
        reason = "not a picture that Pillow can read" if "cannot identify" in str(error) else _first_line(error)
        raise CorruptImageError(f"{path}: {reason}; remove it or replace it with a whole copy") from error
    except MemoryError as error:
        raise UnsupportedImageError(f"{path}: not enough memory to decode it; scale it down") from error
    except Exception as error:  # decoders raise SyntaxError, ValueError, struct.error, zlib.error ... on damaged files
        raise CorruptImageError(f"{path}: damaged ({_first_line(error)}); replace it with a whole copy") from error
    return Picture(check(pixels, str(path)), tuple(notes))


def declared_size(path: str | Path) -> tuple[int, int] | None:
    """(width, height) from the file's header, before any EXIF orientation; None if the header cannot be read."""
    from PIL import Image as PillowImage

    try:
        with _OPEN_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PillowImage.open(path) as picture:
                return picture.size
    except Exception:  # a damaged header; `read` will say what is wrong
        return None


def write_png(path: str | Path, pixels: Image) -> None:
    """Write `pixels` to a PNG file of the same bit depth and channels. Raises ImageError if that fails."""
    import imagecodecs

    # numpy leaves the strides of axes of length 1 undefined and imagecodecs reads them: reshaping defines them.
    shape = pixels.shape[:2] if pixels.shape[2] == 1 else pixels.shape
    data = imagecodecs.png_encode(np.ascontiguousarray(pixels).reshape(-1).reshape(shape))
    with whole_file(Path(path), ImageError) as part:
        part.write_bytes(data)


def _first_line(error: BaseException | str) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _read_pillow(path: Path) -> tuple[Image, list[str]]:
    from PIL import Image as PillowImage

    with _OPEN_LOCK, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)  # bounded by MAX_PIXELS instead
        try:
            picture = PillowImage.open(path)
        except PillowImage.DecompressionBombError as error:
            raise UnsupportedImageError(f"{path}: larger than {MAX_PIXELS} pixels; crop or scale it first") from error
    with picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise UnsupportedImageError(f"{path}: {width}x{height} is larger than {MAX_PIXELS} pixels; crop it first")
        frames = getattr(picture, "n_frames", 1)
        if frames > 1 and picture.format != "MPO":  # MPO: a still with previews
            raise UnsupportedImageError(f"{path}: an animation of {frames} frames or pages; extract one of them first")
        notes = _profile_notes(picture.info) + [_first_line(warning.message) for warning in warned]
        before = _orientation(picture)
        pixels = _decode_beyond_8_bits(path, picture) if depth.bit_depth(path, picture) > 8 else _expand(path, picture)
        after = _orientation(picture)  # TIFF: Pillow turned it while loading; PNG: EXIF may follow the pixels
        if picture.format == "PNG":
            _verify(path)
    if after is None:
        notes.append("EXIF data damaged, orientation unknown")
    elif (before or 1) != 1 or after != 1:
        notes.append(f"EXIF orientation {before if after == 1 else after} applied")
        pixels = _orient(pixels, after)
    return _drop_opaque(pixels), notes


def _verify(path: Path) -> None:
    """Check the checksums of a PNG's chunks, which Pillow ignores when it decodes pixels."""
    from PIL import Image as PillowImage

    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
        with PillowImage.open(path) as picture:
            picture.verify()


def _orientation(picture: Any) -> int | None:
    """EXIF orientation 1 .. 8 (1 if the file gives none); None if the EXIF data are damaged."""
    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            orientation = int(picture.getexif().get(0x0112, 1))
        except Exception:  # a warning, or whatever parsing damaged tags raises
            return None
    return orientation if 1 <= orientation <= 8 else 1


def _profile_notes(info: Mapping[Any, Any]) -> list[str]:
    notes = []
    profile = info.get("icc_profile")
    if profile and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile:
        notes.append("ICC profile other than sRGB, not converted")
    gamma = info.get("gamma")
    if gamma and not profile and abs(gamma - 1 / 2.2) > 0.005:  # PNG: sRGB files carry 0.45455
        notes.append(f"gamma {gamma:.5f} other than sRGB's, not converted")
    return notes


def _decode_beyond_8_bits(path: Path, picture: Any) -> Image:
    """Decode a picture of more than 8 bits per channel to gray, RGB or RGBA."""
    pixels = depth.decode(path, picture)
    return _from_gray_alpha(pixels) if pixels.shape[2] == 2 else pixels


def _from_gray_alpha(pixels: Image) -> Image:
    """Turn gray with alpha (H, W, 2) into gray if it is opaque everywhere, else into RGBA."""
    if bool((pixels[:, :, 1] == peak(pixels)).all()):
        return np.ascontiguousarray(pixels[:, :, :1])
    return np.ascontiguousarray(pixels[:, :, (0, 0, 0, 1)])


def _expand(path: Path, picture: Any) -> Image:
    mode = picture.mode
    transparent = "transparency" in picture.info
    if mode in ("L", "RGB", "RGBA") and not transparent:
        return _as_array(picture)
    if mode == "1" and not transparent:
        return _as_array(picture.convert("L"))
    if mode in ("1", "L", "LA"):
        return _from_gray_alpha(_as_array(picture.convert("LA")))
    if mode in ("P", "PA"):
        return _as_array(picture.convert("RGBA" if transparent or mode == "PA" else "RGB"))
    if mode in ("RGB", "RGBA"):
        return _as_array(picture.convert("RGBA"))
    raise UnsupportedImageError(f"{path}: colour mode {mode} is not supported; convert it to RGB or gray first")


def _as_array(picture: Any) -> Image:
    array = np.asarray(picture)
    return np.ascontiguousarray(array[:, :, None] if array.ndim == 2 else array)


def _orient(pixels: Image, orientation: int) -> Image:
    """Apply EXIF orientation 2 .. 8 (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _drop_opaque(pixels: Image) -> Image:
    if pixels.shape[2] == 4 and bool((pixels[:, :, 3] == peak(pixels)).all()):
        return np.ascontiguousarray(pixels[:, :, :3])
    return pixels
