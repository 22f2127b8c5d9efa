"""MozJPEG and Jpegli beyond the conformance kit."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_jpegli import jpegli
from benchbox_mozjpeg import mozjpeg
from PIL import Image as PillowImage

from benchbox import testing
from benchbox.codec import Codec, CodecInfo
from benchbox.errors import CodecUnavailableError, CorruptBitstream, UnsupportedImageError
from benchbox.image import Image, read

INFOS = {"mozjpeg": mozjpeg.MOZJPEG, "jpegli": jpegli.JPEGLI}


def opened(info: CodecInfo, **options: Any) -> Codec:
    reason = info.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return info.open(info.parse_options(options), "cpu")


def frame(data: bytes) -> tuple[int, list[int]]:
    """Marker of the frame (0xC0 baseline, 0xC2 progressive) and the sampling factors of its components."""
    place = 2
    while data[place + 1] not in (0xC0, 0xC1, 0xC2):
        place += 2 + int.from_bytes(data[place + 2:place + 4], "big")
    return data[place + 1], [data[place + 11 + 3 * index] for index in range(data[place + 9])]


@pytest.mark.parametrize("quality", [20, 75, 90, 95])
def test_mozjpeg_chroma_is_what_was_asked(photo: Image, quality: int) -> None:
    # libvips would drop 4:2:0 from quality 90 on by itself.
    for subsampling, luma in (("4:2:0", 0x22), ("4:4:4", 0x11)):
        data = opened(mozjpeg.MOZJPEG, subsampling=subsampling).encode(photo, quality)
        assert frame(data) == (0xC2, [luma, 0x11, 0x11])


def test_mozjpeg_beats_plain_jpeg(kodak: Path) -> None:
    pixels = read(kodak / "kodim05.png").pixels
    codec = opened(mozjpeg.MOZJPEG, quant_table=0)
    ours = codec.encode(pixels, 75)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=75, subsampling="4:2:0")
    theirs = buffer.getvalue()
    error = [np.mean((np.asarray(picture).astype(float) - pixels) ** 2)
             for picture in (codec.decode(ours), PillowImage.open(io.BytesIO(theirs)))]
    assert len(ours) < 0.9 * len(theirs)  # trellis, progressive scans and Huffman tables of the same quantisation
    assert error[0] < 1.25 * error[1]


def test_mozjpeg_options_change_the_bytes(photo: Image) -> None:
    streams = {opened(mozjpeg.MOZJPEG, **options).encode(photo, 70)
               for options in ({}, {"trellis": False}, {"quant_table": 0}, {"quant_table": 2})}  # fmt: skip
    assert len(streams) == 4


def test_mozjpeg_twice_is_no_look_up(photo: Image) -> None:
    import pyvips

    codec = opened(mozjpeg.MOZJPEG)
    data = codec.encode(photo, 70)
    codec.decode(data)
    codec.decode(data)
    assert pyvips.cache_get_size() == 0
    assert pyvips.concurrency_get() == 1


def test_mozjpeg_identity_names_mozjpeg() -> None:
    opened(mozjpeg.MOZJPEG)
    assert "MozJPEG 5." in mozjpeg.MOZJPEG.identity(mozjpeg.MOZJPEG.parse_options({}))


def test_jpegli_is_420_and_sequential(photo: Image) -> None:
    marker, sampling = frame(opened(jpegli.JPEGLI).encode(photo, 75))
    assert (marker, sampling) == (0xC0, [0x22, 0x11, 0x11])


def test_jpegli_declines_gray(photo: Image) -> None:
    with pytest.raises(UnsupportedImageError, match="jpegli: gray pictures are not supported"):
        opened(jpegli.JPEGLI).encode(np.ascontiguousarray(photo[:, :, :1]), 75)


@pytest.mark.parametrize("name", INFOS)
def test_pillow_decodes_the_same_picture(name: str, photo: Image) -> None:
    codec = opened(INFOS[name])
    data = codec.encode(photo, 85)
    theirs = np.asarray(PillowImage.open(io.BytesIO(data))).astype(int)
    difference = np.abs(codec.decode(data) - theirs)
    assert difference.mean() < 1  # other inverse transforms and roundings


@pytest.mark.parametrize("name", INFOS)
def test_no_memory_is_taken_for_what_a_header_claims(name: str, photo: Image) -> None:
    codec = opened(INFOS[name])
    data = bytearray(codec.encode(photo, 50))
    place = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
    data[place : place + 4] = (60_000).to_bytes(2, "big") * 2
    with pytest.raises(CorruptBitstream, match=rf"{name}: .*(60000x60000, above|limit|pixel)"):
        codec.decode(bytes(data))


@pytest.mark.parametrize("name", INFOS)
def test_every_truncation_is_refused(name: str) -> None:
    codec = opened(INFOS[name])
    data = codec.encode(testing.picture(40, 56, 3, 8), 60)
    for kept in {*range(0, len(data), max(1, len(data) // 50)), len(data) - 1}:
        with pytest.raises(CorruptBitstream, match=name):
            codec.decode(data[:kept])


@pytest.mark.parametrize(("name", "module"), [("mozjpeg", "pyvips"), ("jpegli", "pyjpegli")])
def test_absent_library_names_the_command(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    info = INFOS[name]
    assert info.axis(info.parse_options({})) is not None
    with pytest.raises(CodecUnavailableError, match=rf'{name}: .*pip install "benchbox\[{name}\]"'):
        info.open(info.parse_options({}), "cpu")
