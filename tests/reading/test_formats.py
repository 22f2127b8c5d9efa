"""Whole files of other formats get their own words: "damaged" is said of what is damaged only."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage
from png_files import put

from benchbox import testing
from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.image import read

RGB = testing.picture(24, 32, 3, 8)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def other_files() -> dict[str, tuple[bytes | bytearray, str]]:
    """name -> (a whole file of a format that is not read, what is said of it)."""
    gray12 = (RGB[:, :, 0].astype(np.uint16) << 4).copy()
    return {
        "jpeg12": (imagecodecs.jpeg8_encode(gray12, bitspersample=12), "a JPEG of 12 bits per channel"),
        "jpeg-lossless": (imagecodecs.ljpeg_encode(gray12, bitspersample=12), "a lossless JPEG"),
        "jpegls": (imagecodecs.jpegls_encode(RGB), "a JPEG-LS file"),
        "jpegxl": (imagecodecs.jpegxl_encode(RGB), "JPEG XL"),
        "jpegxr": (imagecodecs.jpegxr_encode(RGB), "JPEG XR"),
        "heic": (box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(100), "HEIC"),
        "heif": (box(b"ftyp", b"mif1\0\0\0\0mif1heix") + bytes(100), "HEI"),
        "mp4": (box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + bytes(100), "MP4"),
        "pdf": (b"%PDF-1.7\n" + bytes(100), "PDF"),
        "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "an EPS file"),
        "exr": (b"v/1\x01" + bytes(100), "OpenEXR"),
        "hdr": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n" + bytes(4), "Radiance HDR"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        "zip": (b"PK\x03\x04" + bytes(100), "zip archive"),
    }


@pytest.mark.parametrize("name", list(other_files()))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_other_formats_under_the_names_of_pictures(name: str, suffix: str, tmp_path: Path) -> None:
    data, said = other_files()[name]
    with pytest.raises(UnsupportedImageError, match=f"a.{suffix}: .*{said}.*; convert it to PNG first") as caught:
        read(put(tmp_path, bytes(data), f"a.{suffix}"))
    assert "damaged" not in str(caught.value)
    assert "whole copy" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000"])
def test_a_file_that_is_read_is_damaged_when_cut(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"  # the contents count, not the name
    PillowImage.fromarray(RGB).save(path, kind)
    assert read(path).pixels.shape == RGB.shape
    whole = path.read_bytes()
    for end in (3, len(whole) // 3):
        with pytest.raises(CorruptImageError, match="replace it with a whole copy"):
            read(put(tmp_path, whole[:end], "a.png"))


def test_what_is_no_picture_is_called_that(tmp_path: Path) -> None:
    for data in (b"hello", bytes(1000), b"\xff\xd8", b"BM", b"II*\0"):
        with pytest.raises(CorruptImageError, match="a whole copy"):
            read(put(tmp_path, data))


@pytest.mark.parametrize("name", list(other_files()))
def test_other_formats_cut_anywhere_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, _ = other_files()[name]
    for end in range(1, min(len(data), 60)):
        with pytest.raises(ImageError) as caught:
            read(put(tmp_path, bytes(data[:end])))
        assert "\n" not in str(caught.value)
