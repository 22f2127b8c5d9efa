"""The scans of a JPEG file: whether their data go as far as the pixels do.

Where they do not, libjpeg shows gray or a smear and only warns, which Pillow does not pass on.

Most of it is seen by decoding the file once more, with noise put in wherever coded data end. A decoder that has had all
that it needs skips the noise and goes on at the next marker (ITU-T T.81, E.2); one that still lacks data takes the
noise for data and comes to other pixels. Only Huffman-coded scans are judged: arithmetic coders leave away what is zero
at the end. Zeros in the midst of coded data say nothing, as flat areas are coded so: data overwritten with zeros are
noticed where the zeros do not last for all the pixels, or go on to the end of a file, which then has no end marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Same: TypeAlias = Callable[[bytes], bool]
"""Whether a variant of the file decodes to the pixels of the file."""

_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_NOISE = bytes.fromhex("b5e92dc1a4731f9ad66b08f7425d3c81ecb73a95104fd8629be57c26a1f30d4b") * 5
"""Begins with a 1: the codes of what is most frequent, and so of flat areas, begin with zeros."""
_ZEROS = bytes(64)
"""A file without an end marker that ends in so many zeros lost its end, as a download does that was broken off."""
_END = b"\xff\xd9"


@dataclass(frozen=True)
class _Segment:
    """The coded data data[start:end] between two markers; `follow`: the number 0 .. 7 of the restart marker that would
    come next if the scan did not end here; None where it does not end, or has no restart markers."""

    start: int
    end: int
    follow: int | None = None


@dataclass
class _Scans:
    """What the markers of a file say.

    Attributes:
        segments: the coded data of all scans, in order.
        restarts: restart interval (T.81, B.2.4.4); 0 for none.
        progressive: whether the frame is progressive.
        left: (component, coefficient) -> bits of precision that no scan has brought yet (T.81, G.1.1.1.2).
        ordered: whether the restart markers count as they must.
    """

    segments: list[_Segment] = field(default_factory=list)
    restarts: int = 0
    progressive: bool = False
    left: dict[tuple[int, int], int] = field(default_factory=dict)
    ordered: bool = True


def fault(data: bytes, pixels: NDArray[Any] | None = None) -> str:
    """What is wrong with the coded data of a JPEG that Pillow reads without an error; "" if nothing is.

    Args:
        data: the whole file.
        pixels: what Pillow makes of it, if that is known.
    """
    data = _without_remarks(data)
    if pixels is None:
        pixels = _decoded(data)
    return "" if pixels is None else _fault(data, lambda variant: _equal(pixels, _decoded(variant)))


def _equal(pixels: NDArray[Any], other: NDArray[Any] | None) -> bool:
    return other is not None and bool(np.array_equal(pixels, other))


def _decoded(data: bytes) -> NDArray[Any] | None:
    from PIL import JpegImagePlugin

    try:
        with JpegImagePlugin.JpegImageFile(BytesIO(data)) as picture:
            return np.asarray(picture)
    except Exception:  # SyntaxError, OSError, ValueError, struct.error ... of damaged data
        return None


def _without_remarks(data: bytes) -> bytes:
    """The file without profile, EXIF and comments, at which Pillow may stumble; JFIF and Adobe's segment stay, as they
    say what the channels are."""
    kept, place = [data[:2]], 2
    while (found := _MARKER.match(data, place)) is not None and 0xC0 <= (kind := found[1][0]) != 0xDA:
        end = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
        if not (0xE1 <= kind <= 0xEF or kind == 0xFE) or kind == 0xEE:
            kept.append(data[place:end])
        place = end
    return b"".join([*kept, data[place:]])


def _fault(data: bytes, same: Same) -> str:
    scans = _scans(data)
    parts = scans.segments
    if not parts:
        return ""
    if not scans.ordered:
        return "restart markers are missing"
    if scans.progressive and any(scans.left.values()):
        return "its last scans are missing"
    if not same(_filled(data, parts)):
        return "its data end before its last pixel"
    if data.endswith(_ZEROS) and _END not in data[parts[-1].end :]:
        return "zeros stand where its end should be"
    return ""


def _filled(data: bytes, parts: list[_Segment]) -> bytes:
    """The file with noise in place of what stands between the end of each segment and the next marker."""
    pieces, place = [], 0
    for part in parts:
        pieces += [data[place : part.end], _NOISE]
        if part.follow is not None:
            pieces += [bytes([0xFF, 0xD0 + part.follow]), _NOISE]
        found = _MARKER.search(data, part.end)
        place = found.start() if found else len(data)
    return b"".join([*pieces, data[place:] or _END])


def _scans(data: bytes) -> _Scans:
    """The scans of the first picture of a file; without segments where they are not Huffman-coded."""
    scans, place = _Scans(), 2
    while (found := _MARKER.match(data, place)) is not None:
        kind, place = found[1][0], found.end()
        if kind == 0xD9:
            return scans
        if kind in (0xC9, 0xCA):
            return _Scans()
        if kind == 0x01 or 0xD0 <= kind <= 0xD8:
            continue
        body = data[place + 2 : place + int.from_bytes(data[place : place + 2], "big")]
        place += 2 + len(body)
        if kind == 0xDD:
            scans.restarts = int.from_bytes(body[:2], "big")
        elif kind == 0xC2:
            scans.progressive = True
        elif kind == 0xDA:
            _note_precision(scans, body)
            place = _coded(data, place, scans)
    return scans


def _note_precision(scans: _Scans, head: bytes) -> None:
    """Enter which bits of which coefficients a scan brings, and so leaves for later ones (T.81, B.2.3)."""
    if head and len(head) >= 4 + 2 * head[0]:
        first, last, bits = head[1 + 2 * head[0] : 4 + 2 * head[0]]
        scans.left |= {(component, number): bits & 15 for component in head[1 : 1 + 2 * head[0] : 2]
                       for number in range(first, last + 1)}  # fmt: skip


def _coded(data: bytes, place: int, scans: _Scans) -> int:
    """Enter the segments of one scan; returns where the marker after it stands."""
    number = 0
    while True:
        found = _MARKER.search(data, place)
        end = found.start() if found else len(data)
        if found is None or not 0xD0 <= found[1][0] <= 0xD7:
            scans.segments.append(_Segment(place, end, number % 8 if scans.restarts else None))
            return end
        scans.segments.append(_Segment(place, end))
        scans.ordered &= found[1][0] == 0xD0 + number % 8
        place, number = found.end(), number + 1
