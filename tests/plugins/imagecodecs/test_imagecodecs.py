"""The imagecodecs codecs beyond the conformance kit: the traps of the libraries that they avoid."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from benchbox_imagecodecs import benchbox_codecs
from benchbox_imagecodecs.common import ImagecodecsCodec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchbox import testing
from benchbox.codec import Codec
from benchbox.errors import CorruptBitstream, QualityError, UnsupportedImageError
from benchbox.image import Image, read

CODECS = {info.id: info for info in benchbox_codecs()}


def opened(name: str, **options: Any) -> Codec:
    return CODECS[name].open(CODECS[name].parse_options(options), "cpu")


def middle(name: str) -> float | None:
    axis = CODECS[name].axis(CODECS[name].parse_options({}))
    return axis.values[len(axis.values) // 2] if axis else None


def psnr(one: Image, other: Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_all_available() -> None:
    assert [info.unavailable() for info in CODECS.values()] == [None] * 9


def test_htj2k_keeps_what_is_brighter_than_white(kodak: Path) -> None:
    # imagecodecs' own decoder gives 36.8 dB here: overflow wraps to 0.
    pixels = read(kodak / "kodim01.png").pixels
    codec = opened("htj2k")
    data = codec.encode(pixels, 0.01)
    assert len(data) * 8 / (768 * 512) == pytest.approx(4.72, abs=0.05)
    assert psnr(pixels, codec.decode(data)) > 45.5


def test_htj2k_on_black_and_white() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[::3, ::2] = 255
    codec = opened("htj2k")
    assert psnr(pixels, codec.decode(codec.encode(pixels, 0.02))) > 30  # 20 dB and less with wrapped samples


def test_jpegls_keeps_its_bound(photo: Image) -> None:
    codec = opened("jpegls")
    for near in (1, 5, 20):
        error = np.abs(codec.decode(codec.encode(photo, near)).astype(int) - photo)
        assert error.max() == near


def test_jpegxr_changes_chroma_at_50_and_says_when_it_is_too_narrow(photo: Image) -> None:
    codec = opened("jpegxr")
    narrow = np.ascontiguousarray(photo[:, :16])
    with pytest.raises(UnsupportedImageError, match=r"16 pixels of width .* level 50"):
        codec.encode(narrow, 49)
    assert codec.decode(codec.encode(narrow, 50)).shape == narrow.shape
    assert codec.decode(codec.encode(np.ascontiguousarray(photo[:, :17]), 49)).shape == (192, 17, 3)


def test_jpegxl_effort_and_threads(photo: Image) -> None:
    one, four = opened("jpegxl"), opened("jpegxl", threads=4)
    assert one.encode(photo, 1) == four.encode(photo, 1)
    sizes = [len(opened("jpegxl-lossless", effort=effort).encode(photo, None)) for effort in (9, 5, 1)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.95 * sizes[2]


def test_sixteen_bits_are_kept() -> None:
    pixels = testing.picture(40, 56, 3, 16)
    for name in ("jpegxl-lossless", "htj2k-lossless", "jpegxr-lossless", "jpegls-lossless"):
        codec = opened(name)
        assert np.array_equal(codec.decode(codec.encode(pixels, None)), pixels)


def test_streams_are_what_other_readers_read(photo: Image) -> None:
    readers: dict[str, Any] = {"jpegxl-lossless": imagecodecs.jpegxl_decode, "htj2k-lossless": imagecodecs.htj2k_decode,
                               "jpegxr-lossless": imagecodecs.jpegxr_decode, "qoi": imagecodecs.qoi_decode}
    for name, reader in readers.items():
        assert np.array_equal(reader(opened(name).encode(photo, None)), photo), name


@pytest.mark.parametrize("name", CODECS)
def test_views_one_pixel_wide_or_high(name: str, photo: Image) -> None:
    codec = opened(name)
    for view in (photo[5:6, :33], photo[:33, 5:6], photo[5:6, 7:8]):
        pixels = np.ascontiguousarray(view)
        quality = {"jpegxr": 60.0}.get(name, middle(name))
        assert codec.decode(codec.encode(pixels, quality)).shape == view.shape


@pytest.mark.parametrize("name", CODECS)
def test_every_truncation_is_refused(name: str) -> None:
    codec = opened(name)
    data = codec.encode(testing.picture(24, 32, 3, 8), middle(name))
    for kept in {*range(0, len(data), max(1, len(data) // 40)), len(data) - 1}:
        with pytest.raises(CorruptBitstream, match=name):
            codec.decode(data[:kept])


def test_qoi_believes_no_size_that_its_bytes_cannot_pay_for() -> None:
    """The longest run takes one byte for 62 pixels; a flat picture comes near that."""
    codec = opened("qoi")
    flat = np.full((64, 62 * 3, 3), 77, np.uint8)
    data = codec.encode(flat, None)
    np.testing.assert_array_equal(codec.decode(data), flat)
    damaged = bytearray(data)
    damaged[5] = 57  # a width of 3.7 million
    with pytest.raises(CorruptBitstream):
        codec.decode(bytes(damaged))


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.integers(0, 199), value=st.integers(0, 255))
def test_damaged_headers_are_quick_and_clean(name: str, place: int, value: int) -> None:
    codec = opened(name)
    data = bytearray(codec.encode(testing.picture(24, 32, 3, 8), middle(name)))
    data[place % len(data)] = value
    with contextlib.suppress(CorruptBitstream):
        pixels = codec.decode(bytes(data))
        assert pixels.ndim == 3
        assert pixels.size < 1 << 28


def claimed(name: str, data: bytes) -> tuple[int, int]:
    codec = opened(name)
    assert isinstance(codec, ImagecodecsCodec)
    return codec.claimed(data)


def _claims(name: str, channels: int) -> bytes:
    """A sound stream whose header claims 60,000 x 60,000."""
    data = bytearray(opened(name).encode(testing.picture(24, 32, channels, 8), middle(name)))
    if name.startswith("jpegxr"):
        place = data.rindex(b"WMPHOTO\0") + 12
        data[place : place + 4] = struct.pack(">HH", 59_999, 59_999)
    elif name.startswith("jpegxl"):  # not small, 18 bits of height, ratio 1
        data[2:5] = (2 << 1 | 59_999 << 3 | 1 << 21).to_bytes(3, "little")
    return bytes(data)


@pytest.mark.parametrize("name", ["jpegxl", "jpegxl-lossless", "jpegxr", "jpegxr-lossless"])
def test_no_memory_is_taken_for_what_a_header_claims(name: str) -> None:
    for channels in (1, 3, 4):
        with pytest.raises(CorruptBitstream, match=rf"{name}: the header claims 60000x60000, above 178000000 pixels"):
            opened(name).decode(_claims(name, channels))


@settings(max_examples=60, deadline=None)
@given(width=st.integers(17, 3000), height=st.integers(1, 300), ratio=st.sampled_from([0, 1, 6 / 5, 4 / 3, 16 / 9, 2]))
def test_sizes_in_headers_are_those_of_the_picture(width: int, height: int, ratio: float) -> None:
    width = max(17, int(height * ratio)) if ratio else width
    pixels = np.zeros((height, width), np.uint8)
    for data in (imagecodecs.jpegxl_encode(pixels, effort=1, usecontainer=contained) for contained in (False, True)):
        assert claimed("jpegxl", bytes(data)) == (width, height)
    assert claimed("jpegxr", bytes(imagecodecs.jpegxr_encode(pixels))) == (width, height)


def test_quality_is_asked_for_and_refused(photo: Image) -> None:
    with pytest.raises(QualityError, match=r"jpegxl: distance 26 is out of range; take 0.01 to 25"):
        opened("jpegxl").encode(photo, 26)
    with pytest.raises(QualityError, match="htj2k: needs a step"):
        opened("htj2k").encode(photo, None)
    with pytest.raises(QualityError, match="qoi: a lossless codec takes no quality"):
        opened("qoi").encode(photo, 5)


def test_qoi_declines_what_it_has_no_room_for() -> None:
    for pixels in (testing.picture(8, 8, 1, 8), testing.picture(8, 8, 3, 16)):
        with pytest.raises(UnsupportedImageError, match="qoi"):
            opened("qoi").encode(pixels, None)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(64, 63, 3), (256, 256, 1), (65, 1, 4)])
def test_jpegls_encodes_pictures_that_do_not_compress(shape: tuple[int, int, int], dtype: type) -> None:
    """Noise, and the worst case: after a flat stretch, steps that cost the longest code."""
    top = np.iinfo(dtype).max
    steps: Image = np.zeros(shape, dtype)
    steps[::2, ::2] = top
    noise: Image = np.random.default_rng(1).integers(0, top + 1, shape).astype(dtype)
    for pixels in (noise, steps):
        for name, near in (("jpegls-lossless", 0), ("jpegls", 1)):
            codec = opened(name)
            decoded = codec.decode(codec.encode(pixels, near or None))
            assert int(np.abs(decoded.astype(int) - pixels).max()) <= near
