"""VVC beyond the conformance kit: the colour conversion, and the bytes that go through ffmpeg's pipes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_vvc import colour, ffmpeg
from benchbox_vvc.vvc import VVC
from hypothesis import given
from hypothesis import strategies as st

from benchbox import testing
from benchbox.codec import Codec
from benchbox.errors import CodecError, CodecUnavailableError, CorruptBitstream
from benchbox.image import Image, read


def opened(**options: Any) -> Codec:
    reason = VVC.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return VVC.open(VVC.parse_options({"preset": "faster", **options}), "cpu")


def psnr(one: Image, other: Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_colour_of_known_samples() -> None:
    # BT.709 by hand: Y' of pure red, green and blue is 0.2126, 0.7152 and 0.0722 of the range.
    for rgb, expected in (((0, 0, 0), (0, 512, 512)), ((255, 255, 255), (1023, 512, 512)),
                          ((255, 0, 0), (217, 395, 1023)), ((0, 255, 0), (732, 118, 47)),
                          ((0, 0, 255), (74, 1023, 465)), ((128, 128, 128), (514, 512, 512))):  # fmt: skip
        planes = colour.to_planes(np.full((4, 6, 3), rgb, np.uint8))
        assert tuple(int(plane[0, 0]) for plane in planes) == expected
        assert [plane.shape for plane in planes] == [(4, 6), (2, 3), (2, 3)]


@given(rgb=st.tuples(*[st.integers(0, 255)] * 3))
def test_every_plain_colour_comes_back(rgb: tuple[int, int, int]) -> None:
    pixels = np.full((4, 4, 3), rgb, np.uint8)
    assert np.array_equal(colour.from_planes(*colour.to_planes(pixels)), pixels)


def test_every_gray_comes_back() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(colour.luma_to_gray(colour.gray_to_luma(gray)), gray)
    assert np.array_equal(colour.from_planes(*colour.to_planes(np.repeat(gray, 3, 2))), np.repeat(gray, 3, 2))


def test_chroma_filters() -> None:
    plane = np.zeros((4, 4))
    plane[0, 0] = 16
    assert colour._halve(plane)[0, 0] == 4
    point = np.zeros((3, 3))
    point[1, 1] = 16
    expected = np.outer([1, 3, 3, 1], [1, 3, 3, 1])
    assert np.array_equal(colour._double(point)[1:5, 1:5], expected)
    assert np.array_equal(colour._double(np.full((2, 3), 7.0)), np.full((4, 6), 7.0))


def test_what_the_colour_path_costs(kodak: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The docs state these figures and this command.
    assert colour.main([str(kodak / "kodim05.png"), str(kodak / "kodim20.png")]) == 0
    values = [float(line.split()[-2]) for line in capsys.readouterr().out.splitlines()]
    assert values == pytest.approx([43.43, 45.50], abs=0.02)


def test_stream_holds_the_picture_alone(photo: Image) -> None:
    # libvvenc prints warnings on standard output; through a plain pipe they would end up in the stream.
    data = opened().encode(photo, 34)
    assert data[:5] == b"\xb3" + (256).to_bytes(2, "big") + (192).to_bytes(2, "big")
    assert data[5:9] == bytes(3) + b"\x01"
    assert b"arning" not in data


def test_quality_of_a_photograph(kodak: Path) -> None:
    pixels = np.ascontiguousarray(read(kodak / "kodim20.png").pixels[:256, :384])
    codec = opened()
    data = codec.encode(pixels, 22)
    assert psnr(pixels, codec.decode(data)) > 39


def test_padding_leaves_no_trace(photo: Image) -> None:
    codec = opened()
    for height, width in ((65, 67), (1, 1), (64, 65), (17, 200)):
        pixels = np.ascontiguousarray(photo[:height, :width])
        back = codec.decode(codec.encode(pixels, 10))
        assert back.shape == pixels.shape
        assert np.mean((back.astype(float) - pixels) ** 2) < 10  # 38 dB


def test_gray_costs_no_chroma(photo: Image) -> None:
    gray = np.ascontiguousarray(photo[:, :, 1:2])
    codec = opened()
    data = codec.encode(gray, 28)
    assert codec.decode(data).shape == gray.shape
    assert len(data) <= len(codec.encode(np.repeat(gray, 3, 2), 28))


def test_threads_do_not_change_the_bytes(photo: Image) -> None:
    assert opened(threads=2).encode(photo, 37) == opened().encode(photo, 37)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_stream_above_8_bits_a_pixel_which_is_ffmpegs_buffer_is_encoded(channels: int) -> None:
    pixels = testing.noise(63, 65, channels, 8)
    data = opened().encode(pixels, 0)
    assert len(data) > pixels.shape[0] * pixels.shape[1]
    decoded = opened().decode(data)
    assert decoded.shape == pixels.shape
    if channels == 1:  # colour loses its chroma to 4:2:0
        assert np.abs(decoded.astype(int) - pixels).max() <= 1


def test_truncations_are_refused() -> None:
    codec = opened()
    data = codec.encode(testing.picture(64, 72, 3, 8), 31)
    for kept in (0, 4, 5, 20, len(data) // 2, len(data) - 20):
        with pytest.raises(CorruptBitstream, match="vvc"):
            codec.decode(data[:kept])


def test_another_size_in_the_header_is_refused() -> None:
    codec = opened()
    data = codec.encode(testing.picture(64, 72, 3, 8), 40)
    for head in (b"\xb3\x00\x4a\x00\x40", b"\xb3\x00\x00\x00\x00", b"\xb3\xff\xff\xff\xff", b"\xb2\x00\x48\x00\x40"):
        with pytest.raises(CorruptBitstream):
            codec.decode(head + data[5:])


def test_ffmpeg_that_fails_is_one_line() -> None:
    opened()
    with pytest.raises(CodecError, match=r"^ffmpeg\S* ended with status \d+: ") as caught:
        ffmpeg.decode(b"no stream at all" * 10, 1)
    assert "\n" not in str(caught.value)


def test_identity_names_vvenc() -> None:
    opened()
    assert "libvvenc 1." in VVC.identity(VVC.parse_options({}))


def test_ffmpeg_without_vvenc_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/true")
    assert VVC.unavailable() == '/bin/true cannot encode with libvvenc; run: pip install "benchbox[vvc]"'


def test_absent_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(CodecUnavailableError, match=r'vvc: .*pip install "benchbox\[vvc\]"'):
        VVC.open(VVC.parse_options({}), "cpu")
