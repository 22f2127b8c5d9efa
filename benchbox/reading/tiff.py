"""TIFF files: their tags say what a sample means; libtiff decodes the samples, and this module interprets them.

What a sample means is decided here for every tag of TIFF 6.0 that changes it: PhotometricInterpretation, BitsPerSample,
SampleFormat, SamplesPerPixel, ExtraSamples, PlanarConfiguration, Predictor, ColorMap and NewSubfileType. A file that
this module does not interpret is refused by the name of the tag. Byte order and FillOrder are undone by libtiff;
Orientation is returned, for the caller to apply.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import CorruptImageError, UnsupportedImageError
from benchbox.reading import strips

_CODES = {1: "B", 3: "H", 4: "L", 6: "b", 7: "B", 8: "h", 9: "l", 13: "L", 16: "Q", 17: "q", 18: "Q"}
"""Field type -> its code in `struct` (TIFF 6.0, section 2; 16 .. 18: BigTIFF)."""

_MOST_VALUES = 3 << 16
"""Values of one field that are read: a ColorMap of 16 bits has the most."""

_MOST_PAGES = 10_000

_LACKING = ("not configured", "not implemented", "not supported", "unknown compression")
"""What libtiff says of a sound file whose compression it cannot undo."""

_PHOTOMETRIC = {0: "WhiteIsZero", 1: "BlackIsZero", 2: "RGB", 3: "palette", 4: "transparency mask", 5: "CMYK",
                6: "YCbCr", 8: "LAB", 9: "ICC LAB", 10: "ITU LAB", 32803: "colour filter array",
                32844: "LogL", 32845: "LogLuv", 34892: "linear raw"}  # fmt: skip
_FORMATS = {2: "signed integers", 3: "floating point", 4: "an undefined format", 5: "complex integers",
            6: "complex floating point"}  # fmt: skip
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}
"""Photometric interpretations that are read -> samples of colour."""

_REMARKS = {301: "TransferFunction", 318: "WhitePoint", 319: "PrimaryChromaticities", 291: "GrayResponseCurve"}
"""Tags about colour that are noted and not applied."""


@dataclass(frozen=True)
class Tiff:
    """The header of a TIFF file, checked: everything that `decode` needs is known and supported.

    Attributes:
        tags: integer fields of the first page, tag -> values; other fields that were asked for are bytes.
        pages: number of pages in the file.
    """

    tags: Mapping[int, Any]
    pages: int

    def first(self, tag: int, default: int) -> int:
        """The first value of a field."""
        values = self.tags.get(tag)
        return int(values[0]) if isinstance(values, tuple) and values else default

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as stored, before the orientation is applied."""
        return self.first(256, 0), self.first(257, 0)

    @property
    def orientation(self) -> int:
        """1 .. 8; 1 if the file gives none."""
        value = self.first(274, 1)
        return value if 1 <= value <= 8 else 1

    @property
    def profile(self) -> bytes:
        """The ICC profile, empty if there is none."""
        return bytes(self.tags.get(34675, b""))


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with `head` is a TIFF or BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def header(data: bytes, source: str) -> Tiff:
    """Read the tags of the first page of the file `data`; errors name `source`.

    Raises:
        CorruptImageError: the directory is damaged.
    """
    file = BytesIO(data)
    try:
        pages = list(_pages(file, len(data)))
    except (struct.error, EOFError, IndexError) as error:
        raise CorruptImageError(f"{source}: damaged (its TIFF directory is cut off); replace it with a whole copy"
                                ) from error
    if not pages:
        raise CorruptImageError(f"{source}: damaged (a TIFF without a page); replace it with a whole copy")
    return Tiff(pages[0], len(pages))


def decode(data: bytes, tiff: Tiff, source: str) -> tuple[NDArray[Any], list[str]]:
    """Decode the first page to (H, W, C), uint8 or uint16, straight alpha, as stored (orientation not applied).

    C is 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA.

    Returns:
        The pixels, and notes on what was left out or recomputed.

    Raises:
        UnsupportedImageError: a tag makes samples of it that are not read; the message names the tag and the remedy.
        CorruptImageError: the data are damaged.
    """
    photometric, kinds = _check(tiff, source)
    samples = _samples(data, tiff, source)
    bits = tiff.first(258, 1)
    colours = _COLOURS[photometric]
    notes: list[str] = []
    colour = samples[:, :, :colours]
    if photometric == 3:
        colour, notes = _through_palette(colour[:, :, 0], tiff, bits, source)
    elif bits < 8:
        colour = colour.astype(np.uint8) * np.uint8(255 // ((1 << bits) - 1))
    if photometric == 0:
        colour = np.iinfo(colour.dtype).max - colour
    alpha = next((place for place, kind in enumerate(kinds) if kind != 0), None)
    if len(kinds) > (alpha is not None):
        notes.append(f"{len(kinds) - (alpha is not None)} extra channels left out")
    if alpha is None:
        return np.ascontiguousarray(colour), notes
    opacity = samples[:, :, colours + alpha : colours + alpha + 1]
    if kinds[alpha] == 1 and bool((opacity < np.iinfo(opacity.dtype).max).any()):
        colour = _straight(colour, opacity)
        notes.append("associated alpha divided out, rounded to nearest")
    return np.concatenate([colour, opacity], axis=2), notes


def remarks(tiff: Tiff) -> list[str]:
    """Notes on tags about colour that are not applied."""
    notes = [f"TIFF {name}, not applied" for tag, name in _REMARKS.items() if tag in tiff.tags]
    highest, bits = tiff.first(281, 0), tiff.first(258, 1)
    if 0 < highest < (1 << bits) - 1 and tiff.first(262, -1) in (0, 1, 2) and bits >= 8:
        notes.append(f"TIFF MaxSampleValue {highest} of {(1 << bits) - 1}, not rescaled")
    return notes


def _check(tiff: Tiff, source: str) -> tuple[int, tuple[int, ...]]:
    """(photometric interpretation, kind of each extra sample) of a file that can be decoded."""
    photometric, count = tiff.first(262, -1), tiff.first(277, 1)
    compression = tiff.first(259, 1)
    if photometric not in _COLOURS or (photometric == 6 and (compression != 7 or tiff.first(284, 1) != 1)):
        if photometric == -1:
            raise _unsupported(source, "it lacks the tag PhotometricInterpretation")
        mode = _PHOTOMETRIC.get(photometric, f"{photometric} (TIFF PhotometricInterpretation)")
        raise UnsupportedImageError(f"{source}: colour mode {mode} is not supported; convert it to RGB or gray first")
    bits = set(tiff.tags.get(258, (1,)))
    formats = set(tiff.tags.get(339, (1,))) - {1}
    if formats:
        form = _FORMATS.get(min(formats), f"SampleFormat {min(formats)}")
        raise _unsupported(source, f"TIFF samples of {form} with {max(bits)} bits per channel")
    allowed = {1, 2, 4, 8} if photometric == 3 else {1, 2, 4, 8, 16} if count == 1 else {8, 16}
    if len(bits) > 1 or not bits <= allowed:
        raise _unsupported(source, f"TIFF of {_PHOTOMETRIC[photometric]} with "
                                   f"{', '.join(map(str, sorted(bits)))} bits per channel")
    if tiff.first(317, 1) not in (1, 2):
        raise _unsupported(source, f"TIFF Predictor {tiff.first(317, 1)} on integers")
    if tiff.first(254, 0) & 0b101 or tiff.first(255, 1) == 2:
        raise _unsupported(source, "its first page is a thumbnail or a mask (TIFF NewSubfileType)")
    return photometric, _extra(tiff, photometric, count, source)


def _extra(tiff: Tiff, photometric: int, count: int, source: str) -> tuple[int, ...]:
    """The kind of each extra sample: 0 unspecified, 1 associated alpha, 2 straight alpha."""
    given = tiff.tags.get(338, ())
    extra = count - _COLOURS[photometric]
    if extra == 1 and photometric == 2 and given in ((), (999,)):  # older writers: RGBA without the tag
        return (2,)
    if extra != len(given) or extra > 3 or not set(given) <= {0, 1, 2}:
        raise _unsupported(source, f"{count} channels, ExtraSamples {list(given[:4])}: not {_PHOTOMETRIC[photometric]}"
                                   " with or without alpha")
    if 1 in given and photometric in (0, 3):
        raise _unsupported(source, f"associated alpha on {_PHOTOMETRIC[photometric]} (TIFF ExtraSamples)")
    return tuple(given)


def _samples(data: bytes, tiff: Tiff, source: str) -> NDArray[Any]:
    """The samples of the first page as stored: (H, W, samples)."""
    import imagecodecs

    try:
        raw = np.asarray(imagecodecs.tiff_decode(data, index=0))
    except MemoryError:
        raise
    except Exception as error:  # TiffError, ValueError, IndexError ... of damaged data
        reason = (str(error).splitlines() or ["its data cannot be decoded"])[0]
        if any(word in reason for word in _LACKING):
            raise _unsupported(source, f"TIFF compression {tiff.first(259, 1)}") from error
        raise CorruptImageError(f"{source}: damaged ({reason}); replace it with a whole copy") from error
    if fault := strips.fault(data, tiff.tags):
        raise CorruptImageError(f"{source}: damaged ({fault}); replace it with a whole copy")
    (width, height), count = tiff.size, tiff.first(277, 1)
    if count > 1 and tiff.first(284, 1) == 2:
        raw = np.moveaxis(raw, 0, -1) if raw.shape == (count, height, width) else raw
    raw = raw.reshape(height, width, 1) if raw.shape == (height, width) else raw
    wanted = np.uint16 if tiff.first(258, 1) > 8 else np.uint8
    if raw.shape != (height, width, count) or raw.dtype not in (wanted, np.bool_):
        raise _unsupported(source, f"TIFF pages that decode to {raw.shape} {raw.dtype}")
    return raw


def _through_palette(
    places: NDArray[Any], tiff: Tiff, bits: int, source: str
) -> tuple[NDArray[np.uint8], list[str]]:
    """Look indices up in the ColorMap, whose values are 16 bits wide (TIFF 6.0, section 5): 8 bits of them are kept."""
    entries = np.array(tiff.tags.get(320, ()), np.uint16)
    if entries.size != 3 << bits:
        raise CorruptImageError(f"{source}: damaged (its palette has {entries.size // 3} colours, not {1 << bits}); "
                                "replace it with a whole copy")
    if entries.any() and int(entries.max()) < 256:
        raise _unsupported(source, "its TIFF ColorMap has values of 8 bits where 16 are due")
    kept = (entries >> 8).astype(np.uint8)
    exact = bool(((entries == kept.astype(np.uint16) * 257) | (entries == kept.astype(np.uint16) << 8)).all())
    notes = [] if exact else ["palette of 16 bits per channel cut to 8"]
    return kept.reshape(3, -1).T[places.astype(np.intp)], notes


def _straight(colour: NDArray[Any], opacity: NDArray[Any]) -> NDArray[Any]:
    """Colour divided by its associated alpha, rounded to nearest; 0 where alpha is 0."""
    top = np.uint64(np.iinfo(colour.dtype).max)
    alpha = opacity.astype(np.uint64)
    divided = (colour.astype(np.uint64) * top + alpha // np.uint64(2)) // np.maximum(alpha, np.uint64(1))
    return np.where(alpha == 0, np.uint64(0), np.minimum(divided, top)).astype(colour.dtype)


def _unsupported(source: str, what: str) -> UnsupportedImageError:
    return UnsupportedImageError(f"{source}: {what}; convert it to an 8-bit or 16-bit PNG first")


def _pages(file: BytesIO, length: int) -> Any:
    """The fields of each page, tag -> values, as the chain of directories gives them; a loop in it ends it."""
    head = _take(file, 4)
    order, big = "<" if head[:2] == b"II" else ">", b"+" in head[2:]
    if big:
        _take(file, 4)
    word, count_code, entry = ("Q", "Q", 20) if big else ("L", "H", 12)
    seen: set[int] = set()
    (place,) = struct.unpack(order + word, _take(file, struct.calcsize("<" + word)))
    while place and place not in seen and len(seen) < _MOST_PAGES:
        seen.add(place)
        file.seek(place)
        (count,) = struct.unpack(order + count_code, _take(file, struct.calcsize("<" + count_code)))
        table = _take(file, min(count * entry, length + 1))
        (following,) = struct.unpack(order + word, _take(file, struct.calcsize("<" + word)))
        yield dict(_fields(file, table, order, word)) if len(seen) == 1 else {}
        place = following


def _fields(file: BytesIO, table: bytes, order: str, word: str) -> Any:
    """(tag, values) of each field of a directory whose type is an integer; a profile as bytes."""
    inline = struct.calcsize("<" + word)
    for start in range(0, len(table), 4 + 2 * inline):
        tag, kind, count = struct.unpack_from(f"{order}HH{word}", table, start)
        if kind not in _CODES and tag not in _REMARKS:
            continue
        value = table[start + 4 + inline : start + 4 + 2 * inline]
        code = _CODES.get(kind, "B")
        size = count * struct.calcsize("<" + code)
        if tag == 34675 or tag in _REMARKS:
            if size > inline:
                file.seek(struct.unpack(order + word, value)[0])
                value = file.read(min(size, 1 << 20))
            yield tag, value
            continue
        if count > _MOST_VALUES:
            continue  # strips of a huge picture; not needed here
        if size > inline:
            file.seek(struct.unpack(order + word, value)[0])
            value = _take(file, size)
        yield tag, struct.unpack(f"{order}{count}{code}", value[:size])


def _take(file: BytesIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data
