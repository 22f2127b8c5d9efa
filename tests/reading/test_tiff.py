"""TIFF: every tag that changes what a sample means is read right or refused by its name, never taken for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from png_files import put, saved
from tiff_files import tiff

from benchbox.errors import CorruptImageError, UnsupportedImageError
from benchbox.image import notes, read

RANDOM = np.random.default_rng(9)
BLACK, RGB, PALETTE = 1, 2, 3
"""Values of tag 262, PhotometricInterpretation."""


def samples(count: int, bits: int) -> NDArray[Any]:
    values = RANDOM.integers(0, 1 << bits, (6, 11, count), np.uint16)
    return values if bits == 16 else values.astype(np.uint8)


def put_tiff(folder: Path, *arguments: Any, **more: Any) -> Path:
    return put(folder, tiff(*arguments, **more), "a.tif")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_gray_of_either_sense(bits: int, order: str, tmp_path: Path) -> None:
    """WhiteIsZero is the negative of BlackIsZero at every depth, in either byte order."""
    stored = samples(1, bits)
    top = 65535 if bits == 16 else 255
    expected = stored.astype(np.int64) * top // ((1 << bits) - 1)
    black = read(put_tiff(tmp_path, stored, {262: 1}, bits, order))
    assert np.array_equal(black.pixels, expected)
    white = read(put_tiff(tmp_path, stored, {262: 0}, bits, order))
    assert np.array_equal(white.pixels, top - expected)
    assert white.pixels.dtype == black.pixels.dtype == (np.uint16 if bits == 16 else np.uint8)
    assert white.notes == black.notes == ()


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colours", [1, 3])
def test_extra_samples(colours: int, bits: int, order: str, planes: bool, tmp_path: Path) -> None:
    stored = samples(colours + 1, bits)
    colour, alpha = stored[:, :, :colours], stored[:, :, colours:]
    photometric = {1: BLACK, 3: RGB}[colours]
    top = (1 << bits) - 1

    def with_extra(kind: int) -> Any:
        return read(put_tiff(tmp_path, stored, {262: photometric, 338: kind}, 0, order, planes))

    unspecified = with_extra(0)
    assert np.array_equal(unspecified.pixels, colour)
    assert unspecified.notes == ("1 extra channels left out",)
    straight = with_extra(2)
    assert np.array_equal(straight.pixels[:, :, 3:], alpha)
    assert np.array_equal(straight.pixels[:, :, :3], np.broadcast_to(colour, (*colour.shape[:2], 3)))
    assert straight.notes == ()
    associated = with_extra(1)
    exact = np.where(alpha == 0, 0, colour * float(top) / np.maximum(alpha, 1)).clip(0, top)
    assert np.abs(associated.pixels[:, :, :3] - exact).max() <= 0.5
    assert associated.notes == ("associated alpha divided out, rounded to nearest",)


def test_associated_alpha_that_is_full_changes_nothing(tmp_path: Path) -> None:
    stored = samples(4, 8)
    stored[:, :, 3] = 255
    picture = read(put_tiff(tmp_path, stored, {262: RGB, 338: 1}))
    assert np.array_equal(picture.pixels, stored[:, :, :3])
    assert picture.notes == ()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("scale", [256, 257])
def test_palettes(bits: int, scale: int, tmp_path: Path) -> None:
    stored = samples(1, bits)
    colours = RANDOM.integers(0, 256, (3, 1 << bits))
    picture = read(put_tiff(tmp_path, stored, {262: PALETTE, 320: (colours * scale).ravel().tolist()}, bits))
    assert np.array_equal(picture.pixels, colours.T[stored[:, :, 0]])
    assert picture.notes == ()


def test_palettes_that_8_bits_cannot_hold(tmp_path: Path) -> None:
    colours = list(range(0, 48 * 1000, 1000))
    path = put_tiff(tmp_path, samples(1, 4), {262: PALETTE, 320: colours}, 4)
    assert read(path).notes == notes(path) == ("palette of 16 bits per channel cut to 8",)
    with pytest.raises(UnsupportedImageError, match="ColorMap has values of 8 bits where 16 are due; convert it"):
        read(put_tiff(tmp_path, samples(1, 4), {262: PALETTE, 320: list(range(48))}, 4))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_orientation_at_either_depth(orientation: int, bits: int, tmp_path: Path) -> None:
    stored = samples(3, bits)
    turned = stored.transpose(1, 0, 2) if orientation >= 5 else stored
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    path = put_tiff(tmp_path, stored, {262: RGB, 274: orientation})
    assert np.array_equal(read(path).pixels, turned)
    assert read(path).notes == notes(path) == ((f"EXIF orientation {orientation} applied",) if orientation > 1 else ())


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_fill_order_2_reverses_the_bits_of_each_byte(bits: int, tmp_path: Path) -> None:
    stored = samples(1, bits)
    plain = tiff(stored, {262: BLACK, 266: 2}, bits)
    size = 6 * -(-11 * bits // 8)
    reversed_ = bytes(int(f"{byte:08b}"[::-1], 2) for byte in plain[8 : 8 + size])
    found = read(put(tmp_path, plain[:8] + reversed_ + plain[8 + size :], "a.tif")).pixels
    assert np.array_equal(found, stored * np.uint8(255 // ((1 << bits) - 1)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("compression", ["zlib", "lzw", None])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 5}, {"bigtiff": True}])
def test_compressed_tiled_predicted_big(
    order: Any, predictor: bool, compression: str | None, layout: dict[str, Any], tmp_path: Path
) -> None:
    tifffile = pytest.importorskip("tifffile")
    stored = RANDOM.integers(0, 65536, (21, 35, 3), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", byteorder=order, compression=compression,
                     predictor=predictor and compression is not None, **layout)  # fmt: skip
    assert np.array_equal(read(tmp_path / "a.tif").pixels, stored)


PACKED = ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"]


@pytest.mark.parametrize(("mode", "compression"), [
    *((mode, compression) for mode in ("L", "P", "RGB", "RGBA") for compression in PACKED),
    ("1", "raw"), ("1", "group3"), ("1", "group4"), ("L", "jpeg"), ("RGB", "jpeg"),
])  # fmt: skip
def test_8_bits_are_what_pillow_reads(mode: str, compression: str, tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    picture = PillowImage.fromarray(photo[:60, :77]).convert(mode)
    if mode == "RGBA":
        picture.putalpha(PillowImage.fromarray(photo[:60, :77, 1]))
    path = saved(tmp_path, picture, "a.tif", compression=compression)
    with PillowImage.open(path) as file:
        expected = np.asarray(file.convert({"1": "L", "P": "RGB"}.get(mode, mode)))
    assert np.array_equal(read(path).pixels.squeeze(), expected)


@pytest.mark.parametrize(("tags", "stored", "said"), [
    ({262: BLACK, 339: 2}, samples(1, 8), "signed integers with 8 bits per channel"),
    ({262: BLACK, 339: 2}, samples(1, 16), "signed integers with 16 bits per channel"),
    ({262: BLACK, 339: 3}, samples(1, 16), "floating point with 16 bits per channel"),
    ({262: RGB, 339: [1, 1, 2]}, samples(3, 8), "signed integers"),
    ({262: BLACK}, samples(1, 16).astype(np.uint32), "32 bits per channel"),
    ({262: RGB, 258: [8, 8, 4]}, samples(3, 8), "4, 8 bits per channel"),
    ({262: 5}, samples(4, 8), "colour mode CMYK is not supported"),
    ({262: 6}, samples(3, 8), "colour mode YCbCr is not supported"),
    ({262: 8}, samples(3, 8), "colour mode LAB is not supported"),
    ({262: 32803}, samples(1, 16), "colour mode colour filter array is not supported"),
    ({262: 99}, samples(1, 8), "colour mode 99"),
    ({}, samples(1, 8), "lacks the tag PhotometricInterpretation"),
    ({262: RGB, 254: 1}, samples(3, 8), "first page is a thumbnail"),
    ({262: BLACK, 317: 3}, samples(1, 16), "Predictor 3"),
    ({262: RGB}, samples(2, 8), "2 channels"),
    ({262: RGB, 338: [0, 0, 0, 0]}, samples(7, 8), "7 channels"),
    ({262: 0, 338: 1}, samples(2, 8), "associated alpha on WhiteIsZero"),
    ({262: BLACK, 259: 34712}, samples(1, 8), "TIFF compression 34712"),
])  # fmt: skip
def test_refused_by_name(tags: Any, stored: NDArray[Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedImageError, match=f"a.tif: .*{said}.*; convert it to") as caught:
        read(put_tiff(tmp_path, stored, tags))
    assert "\n" not in str(caught.value)


def test_10_12_and_14_bits_are_refused_by_name(tmp_path: Path) -> None:
    for bits in (3, 10, 12, 14):
        with pytest.raises(UnsupportedImageError, match=f"{bits} bits per channel; convert it"):
            read(put_tiff(tmp_path, samples(1, 16) >> (16 - bits), {262: BLACK}, bits))


def test_colour_that_is_not_applied_is_noted(tmp_path: Path) -> None:
    path = put_tiff(tmp_path, samples(1, 16), {262: BLACK, 301: [0, 1, 2], 281: 4095})
    said = ("TIFF TransferFunction, not applied", "TIFF MaxSampleValue 4095 of 65535, not rescaled")
    assert read(path).notes == notes(path) == said


@pytest.mark.parametrize("stored", [samples(1, 16), samples(3, 8), samples(3, 16)])
def test_every_cut_is_called_damage(stored: NDArray[Any], tmp_path: Path) -> None:
    """Wherever a file ends early, it is refused: no row is filled in."""
    count = stored.shape[2]
    whole = tiff(stored, {262: {1: BLACK, 3: RGB}[count]})
    for end in range(4, len(whole) - 4 - 2 * count, 7):
        with pytest.raises(CorruptImageError):
            read(put(tmp_path, whole[:end], "a.tif"))
