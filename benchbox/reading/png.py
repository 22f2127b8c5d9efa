"""The chunks of a PNG file: which of them Pillow must not see, and what they say about colour."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from benchbox.errors import CorruptImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

LONGEST_TEXT = 1 << 20
"""Bytes of a text or profile chunk, decompressed, above which it is left out: Pillow refuses the whole file for it."""

_MOST_TEXT = 32 << 20
"""Bytes of all text chunks together; Pillow refuses a file with twice as much."""

_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_CICP = {(1, 13): "sRGB", (1, 1): "BT.709", (9, 14): "BT.2020", (9, 16): "BT.2020 with PQ", (9, 18): "BT.2020 with HLG",
         (12, 13): "Display P3"}  # fmt: skip
"""(colour primaries, transfer function) -> name (ITU-T H.273)."""
_MOST_HELD = 1 << 24
"""Most bytes of rows that are unpacked ahead of Pillow, which holds the picture once more."""

_AT_ONCE = 1 << 20
"""Bytes of pixels that are unpacked at a time."""

_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, and steps of both, of each pass over a picture (PNG specification, 8.2)."""

_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""White point and primaries of sRGB in a cHRM chunk (PNG specification, 11.3.2.1)."""


@dataclass(frozen=True)
class Chunk:
    """A chunk: its kind, its body, and whether its checksum is right."""

    kind: bytes
    body: memoryview
    start: int
    end: int

    @property
    def sound(self) -> bool:
        """Whether the checksum is the one of kind and body."""
        return zlib.crc32(self.body, zlib.crc32(self.kind)) == self._sum

    @property
    def _sum(self) -> int:
        whole: memoryview = self.body.obj  # type: ignore[assignment]
        return int(struct.unpack_from(">I", whole, self.end - 4)[0])


def chunks(data: bytes) -> Iterator[Chunk]:
    """The whole chunks of a PNG, in order; ends before a chunk that is cut off."""
    place = len(SIGNATURE)
    view = memoryview(data)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 12 + length
        if end > len(data):
            return
        yield Chunk(data[place + 4 : place + 8], view[place + 8 : end - 4], place, end)
        place = end


def without_long_text(data: bytes, source: str) -> bytes:
    """The PNG without those text and profile chunks that Pillow would refuse; errors name `source`.

    Raises:
        CorruptImageError: the checksum of such a chunk is wrong.
    """
    kept, total, place = [], 0, 0
    for chunk in chunks(data):
        if chunk.kind not in _TEXTS:
            continue
        size = len(_unpacked(chunk, LONGEST_TEXT))
        total += size
        if size < LONGEST_TEXT and total < _MOST_TEXT:
            continue
        if not chunk.sound:
            raise CorruptImageError(f"{source}: damaged (wrong checksum in chunk {chunk.kind.decode('latin-1')}); "
                                    "replace it with a whole copy")
        kept.append(data[place : chunk.start])
        place = chunk.end
    return b"".join([*kept, data[place:]]) if kept else data


def bit_depth_and_colour(data: bytes) -> tuple[int, int]:
    """(bits per sample, colour type) from IHDR (PNG specification, 11.2.1); (8, 2) if there is none."""
    first = next(chunks(data), None)
    return (first.body[8], first.body[9]) if first is not None and len(first.body) >= 10 else (8, 2)


def lacks_rows(data: bytes) -> bool:
    """Whether the pixels of a PNG whose chunks are sound end before its last row; Pillow leaves the others black."""
    missing = _bytes_of_rows(next(chunks(data)).body)
    unpacker = zlib.decompressobj()
    for chunk in chunks(data):
        packed: bytes | memoryview = chunk.body if chunk.kind == b"IDAT" else b""
        while packed and missing > 0 and not unpacker.eof:
            missing -= len(unpacker.decompress(packed, _AT_ONCE))
            packed = unpacker.unconsumed_tail
    return bool(missing > 0)


def _bytes_of_rows(head: memoryview) -> int:
    """Bytes of all rows, each with the number of its filter, by the body of an IHDR chunk."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", head)
    bits = depth * {2: 3, 4: 2, 6: 4}.get(colour, 1)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in (_ADAM7 if interlaced else _WHOLE)]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0)


def unpacked(data: bytes) -> bytes | None:
    """The same picture as a PNG whose rows are not compressed, for Pillow, whose zlib takes twice as long to unpack
    them as libdeflate. None unless every checksum and the number of rows is right, or above
    `_MOST_HELD`."""
    found = list(chunks(data))
    pixels = [chunk for chunk in found if chunk.kind == b"IDAT"]
    if not pixels or found[0].kind != b"IHDR" or len(found[0].body) < 13 or found[-1].kind != b"IEND":
        return None
    size = _bytes_of_rows(found[0].body)
    together = all(one.end == other.start for one, other in pairwise(pixels))
    if size > _MOST_HELD or not together or not all(chunk.sound for chunk in found):
        return None
    import imagecodecs

    try:
        rows = imagecodecs.deflate_decode(b"".join(chunk.body for chunk in pixels), out=size)
    except imagecodecs.DeflateError:  # damaged; or rows too many, of which Pillow takes those that it needs
        return None
    if len(rows) < size:
        return None
    stored = zlib.compress(rows, 0)
    head = struct.pack(">I", len(stored)) + b"IDAT"
    return b"".join([data[: pixels[0].start], head, stored, bytes(4), data[pixels[-1].end :]])  # Pillow sums no pixels


def has(data: bytes, kind: bytes) -> bool:
    """Whether there is a chunk of that kind."""
    return any(chunk.kind == kind for chunk in chunks(data))


def profile(data: bytes) -> bytes:
    """The first LONGEST_TEXT bytes of the ICC profile; empty if there is none."""
    return next((_unpacked(chunk, LONGEST_TEXT) for chunk in chunks(data) if chunk.kind == b"iCCP"), b"")


def remarks(data: bytes) -> list[str]:
    """Notes on chunks about colour that are not applied.

    cICP goes before iCCP, that before sRGB, that before gAMA and cHRM (PNG specification, 4.3); the profile itself is
    noted by the caller.
    """
    found = {chunk.kind: bytes(chunk.body[:64]) for chunk in chunks(data) if chunk.kind not in (b"IDAT", b"PLTE")}
    notes = []
    if len(cicp := found.get(b"cICP", b"")) == 4:
        if (cicp[0], cicp[1]) != (1, 13):
            name = _CICP.get((cicp[0], cicp[1]), f"primaries {cicp[0]}, transfer {cicp[1]}")
            notes.append(f"cICP {name} other than sRGB's, not converted")
        if cicp[3] == 0:
            notes.append("cICP narrow range, not expanded")
    elif not {b"iCCP", b"sRGB"} & found.keys():
        gamma = struct.unpack(">I", found[b"gAMA"][:4])[0] if len(found.get(b"gAMA", b"")) >= 4 else 0
        if gamma and abs(gamma / 1e5 - 1 / 2.2) > 0.005:  # sRGB files carry 45455
            notes.append(f"gamma {gamma / 1e5:.5f} other than sRGB's, not converted")
        if len(found.get(b"cHRM", b"")) == 32:
            primaries = struct.unpack(">8I", found[b"cHRM"])
            if any(abs(a - b) > 500 for a, b in zip(primaries, _CHRM, strict=True)):
                notes.append("primaries (cHRM) other than sRGB's, not converted")
    depth, colour = bit_depth_and_colour(data)
    significant = found.get(b"sBIT", b"")
    depth = 8 if colour == 3 else depth
    if significant and min(significant) < depth:
        notes.append(f"{min(significant)} significant bits of {depth} (sBIT), not rescaled")
    return notes


def _unpacked(chunk: Chunk, most: int) -> bytes:
    """The text or profile of a chunk, at most `most` bytes of it; what cannot be unpacked is empty."""
    body = bytes(chunk.body)
    rest = body.partition(b"\0")[2]
    if chunk.kind == b"iTXt":
        compressed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        if not compressed:
            return rest[:most]
    elif chunk.kind == b"tEXt":
        return rest[:most]
    else:
        rest = rest[1:]
    try:
        return zlib.decompressobj().decompress(rest, most)
    except zlib.error:
        return b""


def notes_without_pixels(data: bytes) -> bool:
    """Whether the notes on a PNG are complete without its pixels: no palette, and no orientation, which EXIF or XMP
    tell, and which Pillow looks for behind the pixels."""
    return not any(chunk.kind in (b"PLTE", b"eXIf") or _may_tell_orientation(chunk) for chunk in chunks(data))


def _may_tell_orientation(chunk: Chunk) -> bool:
    keyword = bytes(chunk.body[:80]).partition(b"\0")[0].lower()
    return chunk.kind in (b"tEXt", b"zTXt", b"iTXt") and (b"exif" in keyword or b"xmp" in keyword)


def has_gray_key(data: bytes) -> bool:
    """Whether a PNG has a transparent gray value of 2 or 4 bits, which Pillow compares with values scaled to 8."""
    if not data.startswith(SIGNATURE):
        return False
    bits, kind = bit_depth_and_colour(data)
    return kind == 0 and bits in (2, 4) and has(data, b"tRNS")
