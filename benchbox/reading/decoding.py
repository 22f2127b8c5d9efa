"""From a picture file to pixels under the pixel contract, or to an error that names the file and the remedy."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.reading import colour, depth, formats, jpeg, png, tiff

MAX_PIXELS = 178_000_000
"""Largest picture that is read, in pixels. Pillow refuses more as a decompression bomb (twice its warning limit)."""

MAX_BYTES = 4 << 30
"""Longest file that is read; MAX_PIXELS of six channels and 16 bits are shorter."""

_STRIP = 1 << 20
"""Pixels of a strip in which a large picture is taken over from Pillow."""

_Pixels = NDArray[np.unsignedinteger[Any]]

# Image.open may warn about large pictures; catch_warnings is not safe in two threads at once.
_OPEN_LOCK = threading.Lock()


def decode(path: Path, whole: bool = True) -> tuple[_Pixels, list[str]]:
    """The pixels of a file, (H, W, C) with C of 1, 3 or 4, and notes on it; raises as `benchbox.image.read` does.
    Unless the file must be `whole`, pixels that a damaged PNG lacks may be black."""
    with _named(path):
        data = _contents(path)
        return _read_tiff(path, data) if tiff.is_tiff(data) else _read_pillow(path, data, whole)


def notes(path: Path) -> list[str]:
    """The notes that `decode` makes, without decoding the pixels where that is possible."""
    with _named(path):
        data = _contents(path)
        if tiff.is_tiff(data):
            header = tiff.header(data, str(path))
            if header.first(262, 1) != 3 and 338 not in header.tags:
                return _tiff_notes(header)
        elif not data.startswith(png.SIGNATURE):
            with _open(path, data) as (picture, noted):
                return noted + _orientation_notes(1, _orientation(picture))
        elif png.notes_without_pixels(data):
            with _open(path, data) as (_, noted):
                return noted
    return decode(path)[1]


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


def _first_line(error: BaseException | str) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn whatever decoders raise into an ImageError that names the file and the remedy."""
    try:
        yield
    except ImageError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise CorruptImageError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
    except MemoryError as error:
        raise UnsupportedImageError(f"{path}: not enough memory to decode it; scale it down") from error
    except Exception as error:  # decoders raise SyntaxError, ValueError, struct.error, zlib.error ... on damaged files
        reason = _first_line(error)
        if any(word in reason.lower() for word in ("unsupported", "not supported", "not implemented")):
            raise UnsupportedImageError(f"{path}: {reason}; convert it to PNG first") from error
        raise CorruptImageError(f"{path}: damaged ({reason}); replace it with a whole copy") from error


def _contents(path: Path) -> bytes:
    """The bytes of a file that may be a picture. Raises ImageError if it is empty, too long or no picture."""
    size = path.stat().st_size
    if size == 0:
        raise CorruptImageError(f"{path}: the file is empty; remove it or replace it with a whole copy")
    if size > MAX_BYTES:
        raise UnsupportedImageError(f"{path}: larger than {MAX_BYTES >> 30} GiB; crop or scale it first")
    data = path.read_bytes()
    other = formats.jpeg_peculiarity(data)
    if other or data.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):  # Pillow would run Ghostscript on the latter
        raise UnsupportedImageError(f"{path}: {other or 'an EPS file'}, which is not read; convert it to PNG first")
    return data


def _read_tiff(path: Path, data: bytes) -> tuple[_Pixels, list[str]]:
    header = tiff.header(data, str(path))
    _check_size(path, *header.size)
    _check_frames(path, header.pages)
    pixels, notes = tiff.decode(data, header, str(path))
    if pixels.shape[2] == 2:
        pixels = _from_gray_alpha(pixels)
    return _drop_opaque(_orient(pixels, header.orientation)), _tiff_notes(header) + notes


def _tiff_notes(header: tiff.Tiff) -> list[str]:
    turned = _orientation_notes(header.orientation, header.orientation)
    return [*_profile_notes(header.profile), *tiff.remarks(header), *turned]


@contextmanager
def _open(path: Path, data: bytes) -> Iterator[tuple[Any, list[str]]]:
    """The opened PIL image, whose size is checked, and notes on its colour. What plugins set in Pillow does not count:
    half of a picture that was cut short would pass for all of it, or every picture for too large."""
    from PIL import Image as PillowImage
    from PIL import ImageFile, UnidentifiedImageError

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    PillowImage.MAX_IMAGE_PIXELS = MAX_PIXELS // 2

    is_png = data.startswith(png.SIGNATURE)
    with _OPEN_LOCK, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)  # bounded by MAX_PIXELS instead
        try:
            picture = PillowImage.open(BytesIO(png.without_long_text(data, str(path)) if is_png else data))
        except PillowImage.DecompressionBombError as error:
            raise UnsupportedImageError(f"{path}: larger than {MAX_PIXELS} pixels; crop or scale it first") from error
        except UnidentifiedImageError as error:
            if other := formats.other_format(data):
                raise UnsupportedImageError(f"{path}: a file of the format {other}, which is not read; convert it to "
                                            "PNG first") from error
            raise CorruptImageError(f"{path}: not a picture that Pillow can read; remove it or replace it with a whole "
                                    "copy") from error
    with picture:
        _check_size(path, *picture.size)
        profile = png.profile(data) if is_png else picture.info.get("icc_profile") or b""
        noted = _profile_notes(profile) + (png.remarks(data) if is_png else colour.remarks(data, picture.format))
        yield picture, noted + [_first_line(warning.message) for warning in warned]


def _read_pillow(path: Path, data: bytes, whole: bool) -> tuple[_Pixels, list[str]]:
    unpacked = png.unpacked(data) if data.startswith(png.SIGNATURE) else None
    with _open(path, unpacked or data) as (picture, noted):
        _check_frames(path, 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1))  # MPO: with previews
        before = _orientation(picture)
        if depth.bit_depth(data, picture) > 8 or png.has_gray_key(data):
            pixels = depth.decode(path, data, picture)
            pixels = _from_gray_alpha(pixels) if pixels.shape[2] == 2 else pixels
        else:
            noted += _palette_notes(picture)
            pixels = _expand(path, picture)
        after = _orientation(picture)  # PNG: EXIF may follow the pixels
        if picture.format == "PNG" and whole:
            _verify(png.without_long_text(data, str(path)))
            if unpacked is None and _may_lack_rows(picture) and png.lacks_rows(data):
                raise CorruptImageError(f"{path}: damaged (its pixels end before the last row); replace it with a "
                                        "whole copy")
        elif picture.format in ("JPEG", "MPO") and (fault := jpeg.fault(data, np.asarray(picture))):
            raise CorruptImageError(f"{path}: damaged ({fault}); replace it with a whole copy")
    return _drop_opaque(_orient(pixels, after or 1)), [*noted, *_orientation_notes(before, after)]


def _may_lack_rows(picture: Any) -> bool:
    """Whether rows may be missing at the end of a decoded PNG: its last row is all zeros, or rows come in passes."""
    width, height = picture.size
    last = picture.crop((0, height - 1, width, height))
    return bool(picture.info.get("interlace")) or last.getbbox(alpha_only=False) is None


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnsupportedImageError(f"{path}: {width}x{height} is larger than {MAX_PIXELS} pixels; crop it first")
    if min(width, height) < 1:
        raise CorruptImageError(f"{path}: damaged (its size is {width}x{height}); replace it with a whole copy")


def _check_frames(path: Path, frames: int) -> None:
    if frames > 1:
        raise UnsupportedImageError(f"{path}: an animation of {frames} frames or pages; extract one of them first")


def _verify(data: bytes) -> None:
    """Check the checksums of a PNG's chunks, which Pillow ignores when it decodes pixels."""
    from PIL import Image as PillowImage

    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
        with PillowImage.open(BytesIO(data)) as picture:
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


def _orientation_notes(before: int | None, after: int | None) -> list[str]:
    if after is None:
        return ["EXIF data damaged, orientation unknown"]
    turned = after if after != 1 else before or 1
    return [f"EXIF orientation {turned} applied"] if turned != 1 else []


def _profile_notes(profile: bytes) -> list[str]:
    if profile and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile:
        return ["ICC profile other than sRGB, not converted"]
    return []


def _palette_notes(picture: Any) -> list[str]:
    if picture.format != "PNG" or picture.mode != "P":
        return []
    beyond = picture.getextrema()[1] >= len(picture.palette.palette) // 3
    return ["a palette index beyond its palette, shown black"] if beyond else []


def _from_gray_alpha(pixels: _Pixels) -> _Pixels:
    """Turn gray with alpha (H, W, 2) into gray if it is opaque everywhere, else into RGBA."""
    if bool((pixels[:, :, 1] == np.iinfo(pixels.dtype).max).all()):
        return np.ascontiguousarray(pixels[:, :, :1])
    return np.ascontiguousarray(pixels[:, :, (0, 0, 0, 1)])


def _expand(path: Path, picture: Any) -> _Pixels:
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


def _as_array(picture: Any) -> _Pixels:
    """The pixels of a picture of 8 bits, (H, W, C). A large one comes in strips: Pillow makes two copies of what it
    hands over."""
    width, height = picture.size
    rows = max(1, _STRIP // width)
    if rows >= height:
        array = np.asarray(picture)
        return np.ascontiguousarray(array[:, :, None] if array.ndim == 2 else array)
    whole = np.empty((height, width, len(picture.getbands())), np.uint8)
    for top in range(0, height, rows):
        strip = whole[top : top + rows]
        strip[:] = np.asarray(picture.crop((0, top, width, top + len(strip)))).reshape(strip.shape)
    return whole


def _orient(pixels: _Pixels, orientation: int) -> _Pixels:
    """Apply EXIF orientation 2 .. 8 (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _drop_opaque(pixels: _Pixels) -> _Pixels:
    if pixels.shape[2] == 4 and bool((pixels[:, :, 3] == np.iinfo(pixels.dtype).max).all()):
        return np.ascontiguousarray(pixels[:, :, :3])
    return pixels
