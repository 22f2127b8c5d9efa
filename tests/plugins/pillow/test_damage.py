"""Bytes that are no streams of the Pillow codecs: foreign, truncated, damaged, oversized."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from pillow_codecs import CODECS, FORMATS, opened, stream

from benchbox.errors import CorruptBitstream


@pytest.mark.parametrize("name", CODECS)
def test_streams_of_other_formats_are_refused(name: str) -> None:
    for other in CODECS:
        if FORMATS[other] != FORMATS[name]:
            with pytest.raises(CorruptBitstream, match=f"^{name}: "):
                opened(name).decode(stream(other))


@pytest.mark.parametrize("name", CODECS)
def test_every_truncation_is_refused(name: str) -> None:
    codec, data = opened(name), stream(name)
    for kept in range(len(data)):
        with pytest.raises(CorruptBitstream):
            codec.decode(data[:kept])


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=60)
@given(data=st.data())
def test_damage_raises_nothing_else(name: str, data: st.DataObject) -> None:
    """Bytes overwritten, inserted or removed anywhere: a picture, or CorruptBitstream."""
    sound = stream(name)
    place = data.draw(st.integers(0, len(sound) - 1))
    removed = data.draw(st.integers(0, 8))
    put = data.draw(st.binary(max_size=8))
    try:
        decoded = opened(name).decode(sound[:place] + put + sound[place + removed:])
    except CorruptBitstream:
        return
    assert decoded.ndim == 3
    assert decoded.shape[2] in (1, 3, 4)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


def _patched(data: bytes, mark: bytes, offset: int, size: bytes) -> bytes:
    place = data.index(mark) + offset
    return data[:place] + size + data[place + len(size):]


def oversized(name: str) -> bytes:
    """A small stream whose header claims 20,000 x 20,000 (WebP: 16,383 x 16,383)."""
    data = stream(name)
    if FORMATS[name] == "PNG":
        return _png(20000, 20000)
    if FORMATS[name] == "JPEG":
        return _patched(data, b"\xff\xc0", 5, struct.pack(">HH", 20000, 20000))
    if FORMATS[name] == "AVIF":
        return _patched(data, b"ispe", 8, struct.pack(">II", 20000, 20000))
    if FORMATS[name] == "JPEG2000":
        data = _patched(data, b"ihdr", 4, struct.pack(">II", 20000, 20000))
        return _patched(data, b"\xff\x4f\xff\x51", 8, struct.pack(">II", 20000, 20000))
    if data[12:16] == b"VP8L":
        return _patched(data, b"\x2f", 1, struct.pack("<I", 16382 | 16382 << 14))
    return _patched(data, b"\x9d\x01\x2a", 3, struct.pack("<HH", 16383, 16383))


@pytest.mark.parametrize("name", CODECS)
def test_oversized_headers_are_refused(name: str) -> None:
    with pytest.raises(CorruptBitstream):
        opened(name).decode(oversized(name))


def test_deep_or_palette_png_is_no_stream_of_ours() -> None:
    for picture in (PillowImage.new("P", (4, 4)), PillowImage.new("LA", (4, 4)), PillowImage.new("1", (4, 4))):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        with pytest.raises(CorruptBitstream):
            opened("png").decode(buffer.getvalue())
    deep = _patched(_png(1, 1), b"IHDR", 12, b"\x10")
    with pytest.raises(CorruptBitstream):
        opened("png").decode(deep)


def test_animations_are_no_streams_of_ours() -> None:
    frames = [PillowImage.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("webp", "avif", "png"):
        buffer = io.BytesIO()
        frames[0].save(buffer, FORMATS[name], save_all=True, append_images=frames[1:])
        with pytest.raises(CorruptBitstream, match="2 frames"):
            opened(name).decode(buffer.getvalue())


def test_pictures_between_pillows_warning_and_ours_decode() -> None:
    """Pillow warns above 89 million pixels; that is no damage, and with warnings as errors none either."""
    pixels = np.zeros((9000, 10000, 1), np.uint8)
    codec = opened("png", compress_level=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert codec.decode(codec.encode(pixels, None)).shape == pixels.shape
