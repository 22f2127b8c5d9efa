"""A PNG whose pixels end before its last row is damaged, however its rows are stored; a black end is no damage."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchbox.errors import CorruptImageError
from benchbox.image import digest, read, read_unchecked
from benchbox.reading import png as parser

BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, raw: bytes, interlaced: bool = False) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    packed = zlib.compress(raw)
    palette = chunk(b"PLTE", bytes(768)[: 3 << depth]) if colour == 3 else b""
    data = chunk(b"IDAT", packed[:9]) + chunk(b"IDAT", packed[9:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + palette + data + chunk(b"IEND", b"")


def packed_bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Bytes of all rows with their filters, counted pixel by pixel."""
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    first, third, fifth, odd = [0, 5, 3, 5, 1, 5, 3, 5], [4, 5] * 4, [2, 5, 3, 5] * 2, [6] * 8
    order = np.array([first, odd, third, odd, fifth, odd, third, odd])
    passes = np.tile(order, (-(-height // 8), -(-width // 8)))[:height, :width]
    counts = [(passes == k).sum(axis=1) for k in range(7)]
    return sum(1 + (int(n) * bits + 7) // 8 for rows in counts for n in rows if n)


@given(width=some.integers(1, 20), height=some.integers(1, 20), interlaced=some.booleans(), data=some.data())
def test_one_byte_too_few_is_noticed(width: int, height: int, interlaced: bool, data: some.DataObject) -> None:
    colour = data.draw(some.sampled_from(sorted(BITS)))
    depth = data.draw(some.sampled_from(BITS[colour]))
    size = packed_bytes(width, height, depth * CHANNELS[colour], interlaced)
    assert not parser.lacks_rows(png(width, height, depth, colour, bytes(size), interlaced))
    assert parser.lacks_rows(png(width, height, depth, colour, bytes(size - 1), interlaced))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("depth", "colour"), [(1, 0), (8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (16, 2)])
def test_missing_rows_are_damage(depth: int, colour: int, interlaced: bool, tmp_path: Path) -> None:
    size = packed_bytes(19, 13, depth * CHANNELS[colour], interlaced)
    path = tmp_path / "a.png"
    path.write_bytes(png(19, 13, depth, colour, bytes(size), interlaced))
    assert read(path).pixels.shape[:2] == (13, 19)
    row = packed_bytes(19, 1, depth * CHANNELS[colour], False)
    path.write_bytes(png(19, 13, depth, colour, bytes(size - row), interlaced))
    with pytest.raises(CorruptImageError, match="damaged"):
        read(path)


@pytest.mark.parametrize("missing", [1, 58, 3 * 58])
def test_pixels_that_lack_rows_have_another_digest(missing: int, tmp_path: Path) -> None:
    """So that whoever knows the digest of the whole file needs no other check."""
    raw = (b"\0" + bytes(range(1, 58))) * 13
    path = tmp_path / "a.png"
    path.write_bytes(png(19, 13, 8, 2, raw))
    whole = read(path).pixels
    assert np.array_equal(read_unchecked(path), whole)
    path.write_bytes(png(19, 13, 8, 2, raw[:-missing]))
    try:
        assert digest(read_unchecked(path)) != digest(whole)
    except CorruptImageError:
        return  # Pillow noticed by itself
