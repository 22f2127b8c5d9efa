"""Pictures of 16 bits keep them; depths that would lose bits are refused by name."""

from __future__ import annotations

import itertools
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage
from png_files import chunk, interlaced_png, png, put, saved

from benchbox import testing
from benchbox.errors import ImageError, UnsupportedImageError
from benchbox.image import Image, read, write_png


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_kept(channels: int, tmp_path: Path) -> None:
    pixels = testing.picture(15, 17, channels, 16)
    write_png(tmp_path / "deep.png", pixels)
    assert np.array_equal(read(tmp_path / "deep.png").pixels, pixels)
    assert read(tmp_path / "deep.png").pixels.dtype == np.uint16


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_write_png_keeps_8_bits(channels: int, tmp_path: Path) -> None:
    pixels = testing.picture(15, 17, channels, 8)
    write_png(tmp_path / "plain.png", pixels)
    assert np.array_equal(read(tmp_path / "plain.png").pixels, pixels)


@pytest.mark.parametrize(("interlaced", "plain"), [("basi2c16", "oi9n2c16"), ("basi4a16", "basn4a16")])
def test_interlaced_16_bits(interlaced: str, plain: str, odd: Path) -> None:
    """The same pixels as the file's twin without interlacing."""
    one, other = (read(odd / "pngsuite" / f"pngsuite__{name}.png").pixels for name in (interlaced, plain))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_interlaced_16_bits_in_small_sizes(channels: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every size from 1x1 to 9x9, with all passes or with some left out, and nothing logged."""
    random = np.random.default_rng(channels)
    for height, width in itertools.product(range(1, 10), repeat=2):
        pixels = random.integers(0, 65535, (height, width, channels), np.uint16)  # no 65535: no opaque alpha
        expected = pixels[:, :, (0, 0, 0, 1)] if channels == 2 else pixels
        assert np.array_equal(read(put(tmp_path, interlaced_png(pixels))).pixels, expected), (height, width)
    assert caplog.records == []


@pytest.mark.parametrize("channels", [1, 3])
def test_interlaced_16_bits_with_a_transparent_colour(channels: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(0, 65536, (9, 6, channels), np.uint16)
    key = chunk(b"tRNS", pixels[4, 5].astype(">u2").tobytes())
    found = read(put(tmp_path, interlaced_png(pixels, key))).pixels
    assert np.array_equal(found[:, :, :3], np.broadcast_to(pixels, (9, 6, 3)))
    assert np.argwhere(found[:, :, 3] == 0).tolist() == [[4, 5]]


def test_interlaced_16_bits_print_nothing(tmp_path: Path) -> None:
    """Also from several threads at once, in a program that has not set up logging."""
    put(tmp_path, interlaced_png(testing.noise(5, 5, 3, 16)), "deep.png")
    script = ("import sys, threading\nfrom benchbox.image import read\n"
              "work = lambda: [read(sys.argv[1]) for _ in range(50)]\n"
              "threads = [threading.Thread(target=work) for _ in range(4)]\n"
              "[t.start() for t in threads]; [t.join() for t in threads]\nprint('done')")
    command = [sys.executable, "-c", script, str(tmp_path / "deep.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_gray_with_opaque_alpha_is_gray_at_any_depth(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes([10 * x, 255]) for x in range(3))
    assert read(put(tmp_path, png(1, 3, 8, 4, rows))).pixels.tolist() == [[[0]], [[10]], [[20]]]
    rows = b"".join(b"\0" + struct.pack(">HH", 999 * x, 65535) for x in range(3))
    assert read(put(tmp_path, png(1, 3, 16, 4, rows))).pixels.tolist() == [[[0]], [[999]], [[1998]]]
    rows = b"".join(b"\0" + struct.pack(">HH", 999 * x, 65534) for x in range(3))
    assert read(put(tmp_path, png(1, 3, 16, 4, rows))).pixels.shape == (3, 1, 4)


@pytest.mark.parametrize(("depth", "rows", "key", "expected"), [
    (8, b"\0\5\7", b"\0\5", [[[5, 5, 5, 0], [7, 7, 7, 255]]]),
    (8, b"\0\5\7", b"\0\6", [[[5], [7]]]),
    (1, b"\0\x40", b"\0\0", [[[0, 0, 0, 0], [255, 255, 255, 255]]]),
    (16, b"\0\0\5\0\7", b"\0\5", [[[5, 5, 5, 0], [7, 7, 7, 65535]]]),
    (16, b"\0\0\5\0\7", b"\0\6", [[[5], [7]]]),
])  # fmt: skip
def test_transparent_gray_value(depth: int, rows: bytes, key: bytes, expected: Any, tmp_path: Path) -> None:
    pixels = read(put(tmp_path, png(2, 1, depth, 0, rows, chunk(b"tRNS", key)))).pixels
    assert pixels.tolist() == expected


@pytest.mark.parametrize("name", ["deep.ppm", "deep10.ppm", "deep.jp2", "deep.avif", "deep12.tif",
                                  "float.tif", "int.tif"])
def test_deep_colour_is_never_cut_to_8_bits(name: str, tmp_path: Path) -> None:
    """Pillow opens the first four as 8-bit RGB without a warning. Each is refused by name."""
    deep = testing.noise(16, 16, 3, 16)
    path = tmp_path / name
    if name.endswith(".ppm"):
        maximum = 65535 if name == "deep.ppm" else 1023
        path.write_bytes(b"P6 16 16 %d\n" % maximum + np.minimum(deep, maximum).astype(">u2").tobytes())
    elif name == "deep.jp2":
        path.write_bytes(imagecodecs.jpeg2k_encode(deep))
    elif name == "deep.avif":
        path.write_bytes(imagecodecs.avif_encode(deep >> 6, bitspersample=10))
    elif name == "deep12.tif":
        PillowImage.fromarray(deep[:, :, 0]).save(path)
        path.write_bytes(path.read_bytes().replace(struct.pack("<HHII", 258, 3, 1, 16),
                                                   struct.pack("<HHII", 258, 3, 1, 12)))
    else:
        kind = np.float32 if name == "float.tif" else np.int32
        PillowImage.fromarray(deep[:, :, 0].astype(kind)).save(path)
    with pytest.raises(ImageError, match=re.escape(str(path))) as caught:
        read(path)
    if name in ("deep.ppm", "deep10.ppm", "deep.jp2", "deep.avif"):
        assert isinstance(caught.value, UnsupportedImageError)
        assert "bits per channel" in str(caught.value)


def test_8_bit_files_of_formats_that_can_be_deep(tmp_path: Path, photo: Image) -> None:
    picture = PillowImage.fromarray(photo)
    for name in ("a.ppm", "a.tif", "a.jp2", "a.bmp"):
        assert np.array_equal(read(saved(tmp_path, picture, name)).pixels, photo), name
    assert read(saved(tmp_path, picture, "a.avif")).pixels.shape == photo.shape
    gray = testing.picture(9, 8, 1, 16)
    path = put(tmp_path, b"P5 8 9 65535\n" + gray.astype(">u2").tobytes(), "deep.pgm")
    assert np.array_equal(read(path).pixels, gray)
    assert np.array_equal(read(saved(tmp_path, PillowImage.fromarray(gray[:, :, 0]), "deep.tif")).pixels, gray)
    assert np.array_equal(read(saved(tmp_path, PillowImage.fromarray(gray[:, :, 0]), "deep.jp2")).pixels, gray)


