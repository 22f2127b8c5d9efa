"""What the headers of AVIF, JPEG 2000 and JPEG files say about colour that the reader does not apply."""

from __future__ import annotations

import struct

_NCLX = {(1, 13): "sRGB", (1, 1): "BT.709", (9, 14): "BT.2020", (9, 16): "BT.2020 with PQ", (9, 18): "BT.2020 with HLG",
         (12, 13): "Display P3"}  # fmt: skip
"""(colour primaries, transfer characteristics) -> name (ITU-T H.273)."""

_LIKE_SRGB = {(1, 13), (1, 1), (1, 6), (1, 2), (2, 2), (2, 13)}
"""Pairs that are read as sRGB without a note: sRGB itself, BT.709 as cameras write it, and unspecified ones."""

_HEADER = 1 << 16
"""Bytes of a file that are searched for a colour box."""


def remarks(data: bytes, form: str | None) -> list[str]:
    """Notes on the colour of a file of Pillow's format `form`."""
    head = data[:_HEADER]
    if form == "AVIF" and (place := head.find(b"colrnclx")) >= 0 and len(head) >= place + 12:  # ISO/IEC 23008-12, 6.5.5
        pair = struct.unpack_from(">HH", head, place + 8)
        if pair not in _LIKE_SRGB:
            name = _NCLX.get(pair, f"primaries {pair[0]}, transfer {pair[1]}")
            return [f"nclx {name} other than sRGB's, not converted"]
    if form == "JPEG2000" and head[4:8] == b"jP  ":
        place = head.find(b"colr")
        if place >= 0 and len(head) > place + 11:  # ISO/IEC 15444-1, I.5.3.3
            method, space = head[place + 4], int.from_bytes(head[place + 7 : place + 11], "big")
            if method != 1:
                return [*_restricted(head[place + 7 :])]
            if space not in (16, 17, 18):
                return [f"JPEG 2000 colour space {space} other than sRGB, not converted"]
    return []


def _restricted(profile: bytes) -> list[str]:
    if b"sRGB" in profile[:4096] or b"s\0R\0G\0B" in profile[:4096]:
        return []
    return ["ICC profile other than sRGB, not converted"]
