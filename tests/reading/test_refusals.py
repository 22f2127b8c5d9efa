"""What the reader refuses: damaged files, and sound ones that the pixel contract cannot hold."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from png_files import png, put, saved

from benchbox import testing
from benchbox.errors import CorruptImageError, ImageError, UnsupportedImageError
from benchbox.image import MAX_PIXELS, check, read


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


@settings(max_examples=80, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
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


