"""Packs what a CompressAI model returns from `compress` into one byte string, and unpacks it.

Header: quality (1 byte), height and width (2 bytes each), the first 4 bytes of the checkpoint's SHA-256, the number of
entropy-coded strings (1 byte), the length of each except the last (4 bytes each). All big-endian. Then the strings.
The shapes of the latents follow from height and width.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from benchbox.errors import CorruptBitstream

_HEAD = struct.Struct(">BHH4sB")


@dataclass(frozen=True)
class Packed:
    """The contents of a stream; `model` is the first 4 bytes of the checkpoint's SHA-256."""

    quality: int
    height: int
    width: int
    model: bytes
    strings: tuple[bytes, ...]


def pack(quality: int, height: int, width: int, model: bytes, strings: Sequence[bytes]) -> bytes:
    """The stream; `model` is the SHA-256 of the checkpoint, `strings` are at most 255."""
    lengths = [len(string) for string in strings[:-1]]
    head = _HEAD.pack(quality, height, width, model[:4], len(strings)) + struct.pack(f">{len(lengths)}I", *lengths)
    return head + b"".join(strings)


def unpack(data: bytes, codec: str) -> Packed:
    """The contents of the stream `data`; raises CorruptBitstream, which names `codec`, if the lengths do not agree."""
    try:
        quality, height, width, model, count = _HEAD.unpack_from(data)
        lengths = struct.unpack_from(f">{max(count - 1, 0)}I", data, _HEAD.size)
    except struct.error as error:
        raise CorruptBitstream(f"{codec}: {len(data)} bytes are too few for a header") from error
    place = _HEAD.size + 4 * len(lengths)
    if count == 0 or height == 0 or width == 0 or place + sum(lengths) > len(data):
        raise CorruptBitstream(f"{codec}: the header of {len(data)} bytes contradicts itself")
    strings = []
    for length in (*lengths, len(data) - place - sum(lengths)):
        strings.append(data[place:place + length])
        place += length
    return Packed(quality, height, width, model, tuple(strings))
