"""The reader, over awkward files: whole folders, orientation, notes; the pixel contract is in test_pixels.py."""

from __future__ import annotations

import csv
import hashlib
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageOps
from png_files import chunk, png, put, saved

from benchbox import testing
from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.image import check, is_picture_name, read

BAD = {"bitflip30.jpg", "bitflip30.png", "empty.png", "text_named.png", "trunc50.jpg", "trunc50.png", "trunc50.webp",
       "trunc_header20.jpg", "trunc_header20.png", "trunc_header20.webp"}
"""Files of the odd folder that are damaged beyond doubt; bitflip30.webp decodes without complaint."""


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


def test_reading_prints_nothing(
    odd: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for path in sorted(odd.rglob("*.*")):
        if path.is_file():
            try:
                read(path)
            except ImageError:
                continue
    sys.stderr.flush()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []  # outside pytest, Python prints what is logged
