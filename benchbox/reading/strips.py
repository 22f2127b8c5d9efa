"""The strips and tiles of a TIFF file: damage that libtiff passes over in silence.

It ends a deflated strip before its checksum, and shows gray where the data of a JPEG end.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from benchbox.reading import jpeg

_JPEG, _DEFLATE = 7, (8, 32946)
_AT_ONCE = 1 << 14
"""Bytes that are unpacked at a time, into a thousand times as many at most."""


def fault(data: bytes, tags: Mapping[int, Any]) -> str:
    """What is wrong with the strips or tiles of the first page, that libtiff reads without an error; "" if nothing is.

    Args:
        data: the whole file.
        tags: the integer fields of its first page.
    """
    compression = tags.get(259, (1,))[0]
    if compression != _JPEG and compression not in _DEFLATE:
        return ""
    tables = bytes(tags.get(347, ()))[:-2]
    places = tags.get(273) or tags.get(324) or ()
    sizes = tags.get(279) or tags.get(325) or ()
    for place, size in zip(places, sizes, strict=False):
        part = data[place : place + size]
        if compression != _JPEG:
            found = "" if _unpacks(part) else "the checksum of a strip is wrong"
        elif len(part) < size:
            found = "its last strips are missing"
        else:
            found = jpeg.fault(tables + part[2:] if tables else part)
        if found:
            return found
    return ""


def _unpacks(part: bytes) -> bool:
    unpacker = zlib.decompressobj()
    try:
        for start in range(0, len(part), _AT_ONCE):
            unpacker.decompress(part[start : start + _AT_ONCE])
    except zlib.error:
        return False
    return True  # also where the checksum is left out, as some writers do
