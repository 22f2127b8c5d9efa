"""Damaged and hostile streams are refused by name, before they cost memory."""

import dataclasses
import zlib

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.coding.bitstream import Stream

from benchbox.errors import CorruptBitstream


def test_damage_is_named(codec: ResnetCodec, photo: np.ndarray) -> None:
    data = codec.encode(photo, 2)
    rng = np.random.default_rng(2)
    for place in rng.integers(0, len(data), 40).tolist():
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(CorruptBitstream):
            codec.decode(bytes(flipped))
    for length in (0, 5, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(CorruptBitstream):
            codec.decode(data[:length])
    with pytest.raises(CorruptBitstream, match="another format"):
        codec.decode(b"\x89PNG\r\n\x1a\n" + bytes(60))


def test_hostile_streams_cost_nothing(codec: ResnetCodec, photo: np.ndarray) -> None:
    """Wrong fields under a valid checksum are refused before memory of that size is allocated."""
    stream = Stream.unpack(codec.encode(photo, 2))
    with pytest.raises(CorruptBitstream, match="at least"):
        codec.decode(dataclasses.replace(stream, width=60000, height=2900).pack())
    with pytest.raises(CorruptBitstream, match="larger"):
        codec.decode(dataclasses.replace(stream, width=60000, height=60000).pack())
    with pytest.raises(CorruptBitstream, match="needs the model 01020304"):
        codec.decode(dataclasses.replace(stream, model=bytes([1, 2, 3, 4])).pack())
    with pytest.raises(CorruptBitstream, match="quality"):
        codec.decode(dataclasses.replace(stream, quality=4000).pack())
    with pytest.raises(CorruptBitstream, match="channels"):
        codec.decode(dataclasses.replace(stream, channels=2).pack())
    with pytest.raises(CorruptBitstream):
        codec.decode(dataclasses.replace(stream, symbols=stream.symbols[:-2]).pack())
    body = stream.pack()[:-4] + b"more"
    with pytest.raises(CorruptBitstream, match="follow"):
        codec.decode(body + zlib.crc32(body).to_bytes(4, "little"))
