"""PNG: transparency at every bit depth, chunks about colour, and long chunks that are no damage."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from png_files import chunk, png, put

from benchbox.errors import CorruptImageError
from benchbox.image import notes, read

GRAY, RGB, PALETTE = 0, 2, 3
"""Colour types of a PNG."""


def row(values: list[int], bits: int) -> bytes:
    """One unfiltered scanline of samples, `bits` wide each."""
    text = "".join(format(value, f"0{bits}b") for value in values)
    text += "0" * (-len(text) % 8)
    return b"\0" + bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colour", [GRAY, RGB])
def test_a_transparent_value_is_compared_as_stored(colour: int, bits: int, tmp_path: Path) -> None:
    """The value of tRNS has the depth of the samples (PNG specification, 11.3.1.1): not that of 8 bits."""
    if colour == RGB and bits < 8:
        return
    top, count = (1 << bits) - 1, {GRAY: 1, RGB: 3}[colour]
    scale = 1 if bits == 16 else 255 // top
    values = sorted({0, 1, top // 2, top - 1, top} & set(range(top + 1)))
    line = row([value for value in values for _ in range(count)], bits)
    for key in values:
        data = png(len(values), 1, bits, colour, line, chunk(b"tRNS", struct.pack(f">{count}H", *[key] * count)))
        found = read(put(tmp_path, data)).pixels
        assert found[0, :, :3].tolist() == [[value * scale] * 3 for value in values]
        assert found[0, :, 3].tolist() == [0 if value == key else 65535 if bits == 16 else 255 for value in values]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_with_transparency(bits: int, tmp_path: Path) -> None:
    palette = bytes(range(10, 16))
    data = png(2, 1, bits, PALETTE, row([0, 1], bits), chunk(b"PLTE", palette), chunk(b"tRNS", b"\x40"))
    assert read(put(tmp_path, data)).pixels.tolist() == [[[10, 11, 12, 0x40], [13, 14, 15, 255]]]
    opaque = png(2, 1, bits, PALETTE, row([0, 1], bits), chunk(b"PLTE", palette), chunk(b"tRNS", b"\xff\xff"))
    assert read(put(tmp_path, opaque)).pixels.tolist() == [[[10, 11, 12], [13, 14, 15]]]
    beyond = put(tmp_path, png(2, 1, 8, PALETTE, row([0, 9], 8), chunk(b"PLTE", palette)))
    assert read(beyond).pixels.tolist() == [[[10, 11, 12], [0, 0, 0]]]
    assert read(beyond).notes == notes(beyond) == ("a palette index beyond its palette, shown black",)


GAMMA, OTHER_GAMMA = (chunk(b"gAMA", struct.pack(">I", value)) for value in (45455, 100000))
PRIMARIES = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000]
SRGB = chunk(b"sRGB", b"\0")
LINEAR = "gamma 1.00000 other than sRGB's, not converted"
WIDE = "primaries (cHRM) other than sRGB's, not converted"


@pytest.mark.parametrize(("extra", "said"), [
    ([], []),
    ([GAMMA], []),
    ([OTHER_GAMMA], [LINEAR]),
    ([OTHER_GAMMA, SRGB], []),
    ([chunk(b"cHRM", struct.pack(">8I", *PRIMARIES))], []),
    ([chunk(b"cHRM", struct.pack(">8I", *PRIMARIES[:2], 68000, *PRIMARIES[3:]))], [WIDE]),
    ([chunk(b"cICP", bytes([1, 13, 0, 1]))], []),
    ([chunk(b"cICP", bytes([1, 13, 0, 1])), OTHER_GAMMA], []),
    ([chunk(b"cICP", bytes([9, 16, 0, 1]))], ["cICP BT.2020 with PQ other than sRGB's, not converted"]),
    ([chunk(b"cICP", bytes([12, 13, 0, 1]))], ["cICP Display P3 other than sRGB's, not converted"]),
    ([chunk(b"cICP", bytes([1, 13, 0, 0]))], ["cICP narrow range, not expanded"]),
    ([chunk(b"cICP", bytes([22, 5, 0, 1]))], ["cICP primaries 22, transfer 5 other than sRGB's, not converted"]),
    ([chunk(b"sBIT", bytes([5, 6, 5]))], ["5 significant bits of 8 (sBIT), not rescaled"]),
    ([chunk(b"sBIT", bytes([8, 8, 8]))], []),
    ([chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a profile"))], ["ICC profile other than sRGB, not converted"]),
])  # fmt: skip
def test_chunks_about_colour_are_noted(extra: list[bytes], said: list[str], tmp_path: Path) -> None:
    path = put(tmp_path, png(1, 1, 8, RGB, b"\0\1\2\3", *extra))
    assert list(read(path).notes) == list(notes(path)) == said
    assert read(path).pixels.tolist() == [[[1, 2, 3]]]


def test_notes_of_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert notes(put(tmp_path, b"no picture")) == notes(tmp_path / "gone.png") == ()


@pytest.mark.parametrize("long", [
    chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3 << 20))),
    chunk(b"tEXt", b"a\0" + b"x" * (3 << 20)),
    chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * (3 << 20))),
    chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * (3 << 20)),
    chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(3 << 20))),
    b"".join(chunk(b"tEXt", b"a\0" + b"x" * 1000_000) for _ in range(70)),
], ids=["zTXt", "tEXt", "iTXt-packed", "iTXt", "iCCP", "many"])  # fmt: skip
@pytest.mark.parametrize("bits", [8, 16])
def test_long_text_is_no_damage(bits: int, long: bytes, tmp_path: Path) -> None:
    """Pillow and libpng refuse a whole file for one long chunk; its pixels are sound."""
    data = png(1, 1, bits, RGB, b"\0" + bytes(range(3 * bits // 8)), long)
    expected = [[[0, 1, 2]]] if bits == 8 else [[[0x0001, 0x0203, 0x0405]]]
    assert read(put(tmp_path, data)).pixels.tolist() == expected
    place = data.index(long) + len(long) - 1
    wrong = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    with pytest.raises(CorruptImageError, match="checksum"):
        read(put(tmp_path, wrong))


def test_a_bomb_of_text_is_not_unpacked(tmp_path: Path) -> None:
    """A text of 128 MiB in half a megabyte of file."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(1 << 23)) for _ in range(16)) + packer.flush()
    path = put(tmp_path, png(1, 1, 8, GRAY, b"\0\7", chunk(b"zTXt", b"a\0\0" + packed)))
    assert read(path).pixels.tolist() == [[[7]]]


def test_turned_by_exif_after_the_pixels(tmp_path: Path) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 8
    plain = png(9, 7, 8, GRAY, b"".join(b"\0" + bytes(range(9)) for _ in range(7)))
    late = plain[:-12] + chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + plain[-12:]
    path = put(tmp_path, late)
    assert read(path).pixels.shape == (9, 7, 1)
    assert np.array_equal(read(path).pixels[:, 0, 0], np.arange(9)[::-1])
    assert read(path).notes == notes(path) == ("EXIF orientation 8 applied",)


ORIENTATION = b'<x xmlns:tiff="t" tiff:Orientation="6"/>'
EXIF_AS_TEXT = b"\nexif\n  34\n" + (b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0").hex().encode()


@pytest.mark.parametrize(("text", "turned"), [
    (chunk(b"tEXt", b"source\0Kodak PCD0992"), False),
    (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"Orientation 6")), False),
    (chunk(b"iTXt", b"Title\0\0\0\0\0" + ORIENTATION), False),
    (chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + ORIENTATION), True),
    (chunk(b"tEXt", b"Raw profile type exif\0" + EXIF_AS_TEXT), True),
    (chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(EXIF_AS_TEXT)), True),
], ids=["tEXt", "zTXt", "iTXt", "XMP", "EXIF", "EXIF-packed"])  # fmt: skip
@pytest.mark.parametrize("late", [False, True])
def test_text_that_may_turn_a_picture(text: bytes, turned: bool, late: bool, tmp_path: Path) -> None:
    """The notes, for which pixels are not decoded where that is possible, are those of the whole file."""
    data = png(3, 1, 8, GRAY, b"\0" + bytes(range(3)), *([] if late else [text]))
    path = put(tmp_path, data[:-12] + text + data[-12:] if late else data)
    assert read(path).pixels.shape == ((3, 1, 1) if turned else (1, 3, 1))
    assert read(path).notes == notes(path) == (("EXIF orientation 6 applied",) if turned else ())
