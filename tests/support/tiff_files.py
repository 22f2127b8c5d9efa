"""TIFF files built tag by tag, so that tests can write what no library writes: one uncompressed strip or plane each."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tags = Mapping[int, int | Sequence[int]]


def tiff(samples: NDArray[Any], tags: Tags, bits: int = 0, order: str = "<", planes: bool = False) -> bytes:
    """A TIFF of `samples` (H, W, S) of unsigned integers, `bits` wide each (default: those of the dtype).

    `tags` adds to the tags of size and layout, or replaces them: tag -> value or values (type LONG where above 65535).
    `order` is ``"<"`` (II) or ``">"`` (MM); `planes` stores each sample of the pixels apart (PlanarConfiguration 2).
    """
    height, width, count = samples.shape
    bits = bits or samples.dtype.itemsize * 8
    strips = [_packed(part, bits, order) for part in (np.moveaxis(samples, 2, 0)[..., None] if planes else [samples])]
    fields: dict[int, Any] = {
        256: width, 257: height, 258: [bits] * count, 259: 1, 277: count, 278: height, 284: 2 if planes else 1,
        279: [len(strip) for strip in strips], **tags,
    }  # fmt: skip
    body, places = b"", []
    for strip in strips:
        places.append(8 + len(body))
        body += strip + bytes(len(strip) % 2)
    fields[273] = places
    return _header(order, 8 + len(body)) + body + _directory(fields, 8 + len(body), order)


def _packed(part: NDArray[Any], bits: int, order: str) -> bytes:
    """Rows of samples as bytes; each row begins at a byte (TIFF 6.0, section 3)."""
    if bits in (8, 16, 32, 64):
        return part.astype(np.dtype(f"{order}u{bits // 8}")).tobytes()
    rows = part.reshape(len(part), -1)
    return b"".join(np.packbits([[value >> at & 1 for at in reversed(range(bits))] for value in row.tolist()]).tobytes()
                    for row in rows)  # fmt: skip


def _header(order: str, directory: int) -> bytes:
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, directory)


def _directory(fields: Mapping[int, Any], place: int, order: str) -> bytes:
    entries, tail = b"", b""
    after = place + 2 + 12 * len(fields) + 4
    for tag in sorted(fields):
        values = [fields[tag]] if isinstance(fields[tag], int) else list(fields[tag])
        kind, code = (4, "L") if max(values) > 65535 or tag in (273, 279) else (3, "H")
        packed = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(packed) > 4:
            packed, tail = struct.pack(order + "L", after + len(tail)), tail + packed + bytes(len(packed) % 2)
        entries += struct.pack(order + "HHL", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return struct.pack(order + "H", len(fields)) + entries + bytes(4) + tail
