"""The reader, over awkward files; the pixel contract is in test_pixels.py."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageOps

from benchbox import testing
from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.image import (
    MAX_PIXELS,
    Image,
    check,
    is_picture_name,
    read,
    write_png,
)

PNG = b"\x89PNG\r\n\x1a\n"
BAD = {"bitflip30.jpg", "bitflip30.png", "empty.png", "text_named.png", "trunc50.jpg", "trunc50.png", "trunc50.webp",
       "trunc_header20.jpg", "trunc_header20.png", "trunc_header20.webp"}
"""Files of the odd folder that are damaged beyond doubt; bitflip30.webp decodes without complaint."""


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG + head + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def put(folder: Path, data: bytes, name: str = "picture.png") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def saved(folder: Path, picture: Any, name: str, **options: Any) -> Path:
    picture.save(folder / name, **options)
    return folder / name


# ------------------------------------------------------------------------------------------------------ whole folders


def test_odd_files(odd: Path) -> None:
    """Damaged files are refused in one line that names them; what Pillow shows in 8 bits, the reader shows too."""
    seen = 0
    for path in sorted(file for file in odd.iterdir() if file.is_file()):
        if path.name in BAD or path.name == "cmyk.jpg":
            with pytest.raises(ImageError) as caught:
                read(path)
            assert isinstance(caught.value, UnsupportedImageError if path.name == "cmyk.jpg" else CorruptImageError)
            assert str(caught.value).startswith(f"{path}: ")
            assert "\n" not in str(caught.value)
            continue
        agrees_with_pillow(path)
        seen += 1
    assert seen > 25


def test_pngsuite(odd: Path) -> None:
    """Willem van Schaik's PngSuite: the files whose names begin with x are damaged, all others are sound."""
    files = sorted((odd / "pngsuite").glob("pngsuite__*.png"))
    assert len(files) > 150
    for path in files:
        if path.name.startswith("pngsuite__x"):
            with pytest.raises(CorruptImageError):
                read(path)
        else:
            agrees_with_pillow(path)


def agrees_with_pillow(path: Path) -> None:
    pixels = check(read(path).pixels, path.name)
    with PillowImage.open(path) as file:
        picture = ImageOps.exif_transpose(file)
        if pixels.dtype == np.uint16:
            if picture.mode == "I;16" and pixels.shape[2] == 1:
                assert np.array_equal(np.asarray(picture), pixels[:, :, 0]), path.name
            elif picture.mode in ("RGB", "RGBA"):  # Pillow keeps the upper byte
                alike = np.asarray(picture.convert("RGB"))
                assert np.array_equal(alike, pixels[:, :, :3] >> 8), path.name
            return
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
        assert np.array_equal(np.asarray(picture.convert(mode)).reshape(pixels.shape), pixels), path.name
        if pixels.shape[2] == 4:
            assert pixels[:, :, 3].min() < 255, f"{path.name}: an opaque alpha channel was kept"
        else:
            assert np.asarray(picture.convert("RGBA"))[:, :, 3].min() == 255, f"{path.name}: alpha was lost"


# ------------------------------------------------------------------------------------------------ 16 bits and beyond


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
def test_interlaced_16_bits(interlaced: str, plain: str, odd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same pixels as the file's twin without interlacing, and nothing of libpng's on the terminal."""
    one, other = (read(odd / "pngsuite" / f"pngsuite__{name}.png").pixels for name in (interlaced, plain))
    assert np.array_equal(one, other)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 1), (1, 3), (3, 5), (4, 4), (5, 2), (8, 8), (9, 17)])
def test_interlaced_16_bits_in_small_sizes(width: int, height: int, tmp_path: Path) -> None:
    """Passes without pixels are left out of an interlaced file (PNG specification, 8.1)."""
    pixels = testing.noise(height, width, 3, 16)
    grid = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for x, y, dx, dy in grid:
        part = pixels[y::dy, x::dx]
        rows += b"".join(b"\0" + row.astype(">u2").tobytes() for row in part if row.size)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 1))
    data = PNG + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.array_equal(read(put(tmp_path, data)).pixels, pixels)


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


@pytest.mark.parametrize("name", ["deep.ppm", "deep10.ppm", "deep.jp2", "deep.avif", "deep12.tif", "rgb16.tif",
                                  "float.tif", "int.tif"])
def test_deep_colour_is_never_cut_to_8_bits(name: str, tmp_path: Path) -> None:
    """Pillow opens the first four as 8-bit RGB without a word. Each is refused by name."""
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
    elif name == "rgb16.tif":
        tifffile = pytest.importorskip("tifffile")
        tifffile.imwrite(path, deep, photometric="rgb")
    else:
        kind = np.float32 if name == "float.tif" else np.int32
        PillowImage.fromarray(deep[:, :, 0].astype(kind)).save(path)
    with pytest.raises(ImageError, match=re.escape(str(path))) as caught:
        read(path)
    if name in ("deep.ppm", "deep10.ppm", "deep.jp2", "deep.avif"):
        assert isinstance(caught.value, UnsupportedImageError)
        assert "bits a channel" in str(caught.value)


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


# --------------------------------------------------------------------------------------------- what cannot be taken


def test_header_of_20000_by_20000(tmp_path: Path) -> None:
    path = put(tmp_path, png(20000, 20000, 8, 2, bytes(100)))
    with pytest.raises(UnsupportedImageError, match=f"larger than {MAX_PIXELS} pixels"):
        read(path)


def test_header_between_pillows_warning_and_our_bound(tmp_path: Path) -> None:
    """Above 89 million pixels Pillow warns; here that is neither refused nor printed (the data are what is wrong)."""
    path = put(tmp_path, png(10000, 10000, 1, 0, bytes(100)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CorruptImageError):
            read(path)


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "moving.png", "pages.tif", "moving.avif"])
def test_animations_and_pages(name: str, tmp_path: Path) -> None:
    frames = [PillowImage.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedImageError, match="3 frames or pages; extract one of them first"):
        read(path)


def test_still_gif_is_taken(tmp_path: Path) -> None:
    path = saved(tmp_path, PillowImage.new("RGB", (3, 2), "red"), "still.gif")
    assert read(path).pixels.tolist() == [[[255, 0, 0]] * 3] * 2


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr"])
def test_other_colour_modes(mode: str, tmp_path: Path) -> None:
    name = {"CMYK": "a.jpg", "LAB": "a.tif", "YCbCr": "b.tif"}[mode]
    path = saved(tmp_path, PillowImage.new(mode, (8, 8)), name)
    with pytest.raises(UnsupportedImageError, match=f"colour mode {mode} is not supported; convert it to RGB"):
        read(path)


def test_missing_folder_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CorruptImageError, match=r"gone\.png: cannot be opened \(No such file"):
        read(tmp_path / "gone.png")
    with pytest.raises(CorruptImageError, match=r"cannot be opened \(Is a directory\)"):
        read(tmp_path)


def test_png_sums_are_checked(tmp_path: Path) -> None:
    sound = png(2, 1, 8, 0, b"\0\5\7")
    assert read(put(tmp_path, sound)).pixels.tolist() == [[[5], [7]]]
    body = sound.index(b"IDAT")
    size = struct.unpack_from(">I", sound, body - 4)[0]
    wrong = bytearray(sound)
    wrong[body + 4 + size] ^= 1
    with pytest.raises(CorruptImageError, match="checksum"):
        read(put(tmp_path, bytes(wrong)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["png", "png16", "jpg", "gif", "tif", "webp"]))
def test_damage_raises_image_errors_only(data: st.DataObject, kind: str, tmp_path: Path) -> None:
    sound = _sound(kind)
    place = data.draw(st.integers(0, len(sound) - 1))
    put_in, removed = data.draw(st.binary(max_size=6)), data.draw(st.integers(0, 6))
    path = put(tmp_path, sound[:place] + put_in + sound[place + removed:], f"a.{kind}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow may warn of a damaged TIFF before it fails
        try:
            pixels = read(path).pixels
        except ImageError as error:
            message = str(error)
        else:
            message = ""
            check(pixels, kind)
    assert "\n" not in message


def _sound(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "png16":
        return png(3, 2, 16, 2, (b"\0" + bytes(range(18))) * 2)
    picture = PillowImage.fromarray(testing.picture(9, 8, 3, 8))
    picture.save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(kind, kind.upper()))
    return buffer.getvalue()


# ------------------------------------------------------------------------------------------------ orientation, notes


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_exif_orientation(orientation: int, suffix: str, tmp_path: Path) -> None:
    upright = testing.picture(9, 14, 3, 8)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = saved(tmp_path, PillowImage.fromarray(upright), f"turned.{suffix}", exif=exif, **options)
    with PillowImage.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    picture = read(path)
    assert np.array_equal(picture.pixels, expected)
    assert picture.notes == (() if orientation == 1 else (f"EXIF orientation {orientation} applied",))


def test_exif_orientation_by_hand(tmp_path: Path) -> None:
    """Not by Pillow's opinion: 6 says that row 0 is the right side and column 0 the top (TIFF 6.0, tag 274)."""
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    pixels = read(saved(tmp_path, PillowImage.fromarray(stored), "a.png", exif=exif)).pixels[:, :, 0]
    assert pixels[:, -1].tolist() == stored[0].tolist()
    assert pixels[0, :].tolist() == stored[::-1, 0].tolist()


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01", b"Exif\0\0garbage!!"])
def test_damaged_exif_costs_only_the_orientation(exif: bytes, tmp_path: Path) -> None:
    picture = read(saved(tmp_path, PillowImage.new("RGB", (8, 8)), "a.jpg", exif=exif))
    assert picture.pixels.shape == (8, 8, 3)
    assert all("EXIF" in note for note in picture.notes)


def test_notes_on_profile_and_gamma(tmp_path: Path) -> None:
    from PIL import ImageCms

    picture = PillowImage.new("RGB", (8, 8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert read(saved(tmp_path, picture, "srgb.png", icc_profile=srgb)).notes == ()
    other = srgb.replace(b"sRGB", b"nope").replace(b"s\0R\0G\0B", b"n\0o\0p\0e")
    assert read(saved(tmp_path, picture, "other.png", icc_profile=other)).notes == (
        "ICC profile other than sRGB, not converted",)
    for gamma, notes in ((45455, ()), (100000, ("gamma 1.00000 other than sRGB's, not converted",))):
        data = png(1, 1, 8, 0, b"\0\7", chunk(b"gAMA", struct.pack(">I", gamma)))
        assert read(put(tmp_path, data)).notes == notes


# ------------------------------------------------------------------------------------------------ names, sums, silence


def test_digests_of_kodak(kodak: Path) -> None:
    """The sums that came with the development copy, over the bare RGB bytes."""
    with (kodak / "SHA256.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    for row in rows[::8]:
        pixels = read(kodak / row["file"]).pixels
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == row["sha256_rgb_pixels"]


def test_names_of_pictures() -> None:
    assert is_picture_name("A.PNG")
    assert is_picture_name("b.jpeg")
    assert not is_picture_name(".hidden.png")
    assert not is_picture_name("notes.txt")


def test_reading_prints_nothing(odd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in sorted(odd.rglob("*.*")):
        if path.is_file():
            try:
                read(path)
            except ImageError:
                continue
    sys.stderr.flush()
    assert capfd.readouterr() == ("", "")
