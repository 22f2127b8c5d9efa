"""Rows that are unpacked before Pillow sees them give the picture that Pillow makes of the file, or are left to it."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from PIL import Image as PillowImage
from png_files import SIGNATURE, chunk, put

from benchbox.image import read
from benchbox.reading.png import lacks_rows, unpacked

COLOURS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def opened(data: bytes) -> NDArray[Any]:
    with PillowImage.open(BytesIO(data)) as picture:
        return np.asarray(picture)


@some.composite
def files(draw: some.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A PNG in three parts, of which the second is the compressed rows: all depths, all filters."""
    width, height, colour = draw(some.integers(1, 20)), draw(some.integers(1, 20)), draw(some.sampled_from([*COLOURS]))
    depth = draw(some.sampled_from(COLOURS[colour]))
    line = (width * depth * CHANNELS[colour] + 7) // 8
    values = np.random.default_rng(draw(some.integers(0, 99))).integers(0, 256, (height, line + 1)).astype(np.uint8)
    values[:, 0] %= 5
    head = b"".join(size.to_bytes(4) for size in (width, height)) + bytes([depth, colour, 0, 0, 0])
    palette = chunk(b"PLTE", bytes(range(3 << depth) if depth < 7 else 768)) if colour == 3 else b""
    return SIGNATURE + chunk(b"IHDR", head) + palette, zlib.compress(values.tobytes()), chunk(b"IEND", b"")


@given(parts=files(), cut=some.integers(0, 30))
def test_unpacked_rows_are_the_same_picture(parts: tuple[bytes, bytes, bytes], cut: int) -> None:
    head, packed, end = parts
    data = head + chunk(b"IDAT", packed[:cut]) + chunk(b"IDAT", packed[cut:]) + end
    other = unpacked(data)
    assert other is not None
    assert np.array_equal(opened(other), opened(data))


@given(parts=files(), data=some.data())
def test_of_damaged_rows_either_the_same_picture_or_nothing(
    parts: tuple[bytes, bytes, bytes], data: some.DataObject
) -> None:
    """The checksum of the chunk is right, as where a program wrote the damage."""
    head, packed, end = parts
    place = data.draw(some.integers(0, len(packed) - 1))
    broken = data.draw(some.sampled_from([
        packed[:place] + bytes([packed[place] ^ data.draw(some.integers(1, 255))]) + packed[place + 1 :],
        packed[:place], packed + bytes(place), packed[:place] + packed[place + 1 :],
        zlib.compress(zlib.decompress(packed)[:place]), zlib.compress(zlib.decompress(packed) + bytes(place)),
    ]))  # fmt: skip
    file = head + chunk(b"IDAT", broken) + end
    other = unpacked(file)
    if other is not None:
        assert not lacks_rows(file)
        assert np.array_equal(opened(other), opened(file))


@given(parts=files(), data=some.data())
def test_nothing_where_a_checksum_or_the_end_is_wrong(parts: tuple[bytes, bytes, bytes], data: some.DataObject) -> None:
    head, packed, end = parts
    file = head + chunk(b"IDAT", packed[:5]) + chunk(b"IDAT", packed[5:]) + end
    place = data.draw(some.integers(len(SIGNATURE), len(file) - 1))
    assert unpacked(file[:place]) is None
    assert unpacked(file[:place] + bytes([file[place] ^ data.draw(some.integers(1, 255))]) + file[place + 1 :]) is None


def test_other_chunks_between_the_rows(tmp_path: Path) -> None:
    """The specification forbids them (5.6), and Pillow reads no further; the file is left to it."""
    packed = zlib.compress(bytes(13 * (1 + 3 * 19)))
    head = b"".join(size.to_bytes(4) for size in (19, 13)) + bytes([8, 2, 0, 0, 0])
    data = (SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", packed[:9]) + chunk(b"tEXt", b"a\0b")
            + chunk(b"IDAT", packed[9:]) + chunk(b"IEND", b""))  # fmt: skip
    assert unpacked(data) is None
    whole = data.replace(chunk(b"tEXt", b"a\0b"), b"")
    assert np.array_equal(read(put(tmp_path, whole)).pixels, np.zeros((13, 19, 3)))
