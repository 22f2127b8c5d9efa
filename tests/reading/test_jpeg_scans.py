"""A JPEG whose coded data end early is damaged, also where zeros stand in place of its end."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from PIL import Image as PillowImage

from benchbox.errors import CorruptImageError
from benchbox.image import read
from benchbox.reading import jpeg

WAYS: dict[str, dict[str, Any]] = {
    "baseline": {}, "optimised": {"optimize": True}, "progressive": {"progressive": True},
    "4:4:4": {"subsampling": 0}, "restarts": {"restart_marker_rows": 1},
    "restarts in rows": {"restart_marker_blocks": 5},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 2},
}  # fmt: skip
END = b"\xff\xd9"


def encoded(pixels: NDArray[Any], **ways: Any) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "JPEG", **({"quality": 85} | ways))
    return file.getvalue()


@pytest.fixture(params=WAYS)
def whole(request: pytest.FixtureRequest, photo: NDArray[Any]) -> bytes:
    """A photograph of awkward size."""
    return encoded(photo[:131, :203], **WAYS[request.param])


def cut(data: bytes, place: int) -> bytes:
    return data[:place].rstrip(b"\xff") + END


def cut_without_end(data: bytes, place: int) -> bytes:
    return data[:place]


def zeros_to_the_end(data: bytes, place: int) -> bytes:
    return data[:place] + bytes(len(data) - place)


def zeros_before_the_end(data: bytes, place: int) -> bytes:
    return data[:place] + bytes(len(data) - place - 2) + END


@pytest.mark.parametrize("spoil", [cut, cut_without_end, zeros_to_the_end, zeros_before_the_end])
def test_data_that_end_early(spoil: Callable[[bytes, int], bytes], whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    first = whole.index(b"\xff\xda") + 20
    for share in (0.1, 0.45, 0.8, 0.95):
        path.write_bytes(spoil(whole, first + int((len(whole) - first) * share)))
        with pytest.raises(CorruptImageError, match=r"a\.jpg: damaged \(.*\); replace it with a whole copy"):
            read(path)


def test_what_is_sound_stays_sound(whole: bytes, photo: NDArray[Any], tmp_path: Path) -> None:
    """With zeros or fill bytes before its last marker, and anything after it; flat areas are coded as zeros."""
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    expected = read(path).pixels
    for before in (b"", bytes(3), bytes(500), b"\xff\xff"):
        for after in (b"", bytes(5000), b"tail" * 99, whole):
            path.write_bytes(whole[:-2] + before + END + after)
            assert np.array_equal(read(path).pixels, expected)


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
def test_flat_thin_and_gray_pictures_are_sound(ways: dict[str, Any], photo: NDArray[Any], tmp_path: Path) -> None:
    half = photo[:400, :400].copy()
    half[100:] = (200, 10, 10)
    for pixels in (half, np.full((300, 300, 3), 128, np.uint8), photo[:1, :1], photo[:200, :1], photo[:1, :200],
                   photo[:99, :99, 1], np.zeros((64, 999), np.uint8)):  # fmt: skip
        (tmp_path / "a.jpg").write_bytes(encoded(pixels, **ways))
        assert read(tmp_path / "a.jpg").pixels.shape[:2] == pixels.shape[:2]


def test_zeros_in_the_middle_that_do_not_last_for_all_pixels(photo: NDArray[Any], tmp_path: Path) -> None:
    whole = encoded(photo[:131, :203])
    place = len(whole) // 2
    (tmp_path / "a.jpg").write_bytes(whole[:place] + bytes(512) + whole[place + 512 :])
    with pytest.raises(CorruptImageError, match="damaged"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("spoil", [cut_without_end, zeros_to_the_end])
@pytest.mark.parametrize("compression", ["jpeg", "zlib"])
def test_strips_of_a_tiff(
    compression: str, spoil: Callable[[bytes, int], bytes], photo: NDArray[Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, photo[:131, :203], photometric="rgb", compression=compression, rowsperstrip=32)
    whole = path.read_bytes()
    assert read(path).pixels.shape == (131, 203, 3)
    path.write_bytes(spoil(whole, len(whole) * 3 // 5))
    with pytest.raises(CorruptImageError, match=r"a\.tif: damaged"):
        read(path)


def test_a_deflated_strip_whose_bits_are_others(photo: NDArray[Any], tmp_path: Path) -> None:
    """Zeros are valid codes of deflate: only the checksum tells."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, photo[:131, :203], photometric="rgb", compression="zlib", rowsperstrip=131)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(300) + whole[len(whole) // 2 + 300 :])
    with pytest.raises(CorruptImageError, match=r"a\.tif: damaged"):
        read(path)


PARTS = [b"\xff\xd8", b"\xff\xda", b"\xff\xc2", b"\xff\xdd", b"\xff\xd0", b"\xff\xd9", b"\0\7", b"\1\1\0\0\77\1",
         b"\xff", bytes(1), bytes(70)]  # fmt: skip


@given(some.lists(some.sampled_from(PARTS) | some.binary(max_size=9)))
def test_any_bytes_are_walked_to_their_end(parts: list[bytes]) -> None:
    data = b"\xff\xd8" + b"".join(parts)
    assert isinstance(jpeg.fault(data, np.zeros((8, 8), np.uint8)), str)
