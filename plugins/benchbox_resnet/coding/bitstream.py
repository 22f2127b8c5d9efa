"""The container of a stream.

::

    offset  bytes  meaning
    0       3      magic "BBR"
    3       1      version, 5
    4       4      model digest: first bytes of the SHA-256 of the weights file
    8       1      channels: 1 gray, 3 RGB, 4 RGBA
    9       2      quality in 1/256, little-endian
    11      1-3    width - 1, base-128, low digits first
    ..      1-3    height - 1
    ..      1-4    length of the symbol section
    ..      ..     symbol section (see `entropy`)
    ..      ..     RGBA only: the alpha section (see `alpha`), up to the checksum
    -4      4      CRC-32 of everything before, little-endian

The container of a 768x512 picture has 22 bytes. The checksum is verified before anything else is read, and the size
before anything is allocated: n bytes cannot hold more symbols than they have bits for, each symbol counted as the
cheapest of its table.
"""

import dataclasses
import struct
import zlib

from benchbox.errors import CorruptBitstream

MAGIC, VERSION = b"BBR", 5
MAX_SIDE, MAX_PIXELS = 65535, 178_000_000
_FIXED = struct.Struct("<3sB4sBH")
_CRC = struct.Struct("<I")


@dataclasses.dataclass(frozen=True)
class Stream:
    """The fields of one stream. `quality` is fixed-point with 8 fractional bits."""

    model: bytes
    width: int
    height: int
    channels: int
    quality: int
    symbols: bytes
    alpha: bytes = b""

    def __post_init__(self) -> None:
        if len(self.model) != 4:
            raise ValueError(f"a model digest has 4 bytes, not {len(self.model)}")

    def pack(self) -> bytes:
        """The stream as bytes."""
        head = _FIXED.pack(MAGIC, VERSION, self.model, self.channels, self.quality)
        sizes = _varint(self.width - 1) + _varint(self.height - 1) + _varint(len(self.symbols))
        body = head + sizes + self.symbols + self.alpha
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def unpack(cls, data: bytes) -> "Stream":
        """The inverse of `pack`; raises CorruptBitstream, naming the fault."""
        if len(data) < _FIXED.size + 3 + _CRC.size:
            raise CorruptBitstream(f"{len(data)} bytes are too few for a stream of this codec")
        magic, version, model, channels, quality = _FIXED.unpack_from(data)
        if magic != MAGIC:
            raise CorruptBitstream(f"the stream begins with {bytes(data[:3])!r}, not {MAGIC!r}: it has another format")
        if version != VERSION:
            raise CorruptBitstream(f"stream version {version}; this benchbox reads version {VERSION}")
        (crc,) = _CRC.unpack_from(data, len(data) - _CRC.size)
        if zlib.crc32(data[: -_CRC.size]) != crc:
            raise CorruptBitstream("the checksum does not match: the stream is truncated or damaged")
        end = len(data) - _CRC.size
        width, at = _read_varint(data, _FIXED.size, end, "width")
        height, at = _read_varint(data, at, end, "height")
        length, at = _read_varint(data, at, end, "length of the symbol section")
        if at + length > end:
            raise CorruptBitstream(f"the symbol section should have {length} bytes, but {end - at} follow")
        if channels not in (1, 3, 4):
            raise CorruptBitstream(f"the stream has {channels} channels; 1, 3 or 4 are possible")
        if channels != 4 and at + length != end:
            raise CorruptBitstream(f"{end - at - length} bytes follow the last section")
        symbols, alpha = bytes(data[at : at + length]), bytes(data[at + length : end])
        return cls(model, width + 1, height + 1, channels, quality, symbols, alpha)

    def check_limits(self) -> None:
        """Raise CorruptBitstream for dimensions beyond `MAX_SIDE` or `MAX_PIXELS`."""
        if max(self.width, self.height) > MAX_SIDE or self.width * self.height > MAX_PIXELS:
            raise CorruptBitstream(f"{self.width}x{self.height} is larger than a stream can be")

    def check_price(self, bits: float) -> None:
        """Raise CorruptBitstream where the symbols of a picture of this size take at least `bits`, more than the stream
        has; call it before anything of that size is allocated."""
        if bits > 8 * len(self.symbols) + 64:
            raise CorruptBitstream(f"{self.width}x{self.height} takes at least {bits / 8:.0f} bytes of symbols, "
                                   f"the stream has {len(self.symbols)}")  # fmt: skip


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int, end: int, what: str) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= end or shift > 28:
            raise CorruptBitstream(f"the {what} is cut off or too long")
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
