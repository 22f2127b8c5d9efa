"""The colour that AVIF and JPEG 2000 files declare is noted where it is not sRGB, and never converted."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from benchbox.image import notes, read


def encoded(pixels: NDArray[Any], form: str, **options: Any) -> bytearray:
    file = io.BytesIO()
    PillowImage.fromarray(pixels[:40, :51]).save(file, form, **options)
    return bytearray(file.getvalue())


@pytest.mark.parametrize(("primaries", "transfer", "expected"), [
    (1, 13, ()), (2, 2, ()), (9, 16, ("nclx BT.2020 with PQ other than sRGB's, not converted",)),
    (12, 13, ("nclx Display P3 other than sRGB's, not converted",)),
    (22, 8, ("nclx primaries 22, transfer 8 other than sRGB's, not converted",)),
])  # fmt: skip
def test_avif(primaries: int, transfer: int, expected: tuple[str, ...], photo: NDArray[Any], tmp_path: Path) -> None:
    data = encoded(photo, "AVIF")
    place = data.index(b"colrnclx") + 8
    struct.pack_into(">HH", data, place, primaries, transfer)
    (tmp_path / "a.avif").write_bytes(data)
    picture = read(tmp_path / "a.avif")
    assert picture.notes == notes(tmp_path / "a.avif") == expected
    assert picture.pixels.shape == (40, 51, 3)


@pytest.mark.parametrize(("space", "expected"), [
    (16, ()), (18, ()), (20, ("JPEG 2000 colour space 20 other than sRGB, not converted",)),
])
def test_jpeg_2000(space: int, expected: tuple[str, ...], photo: NDArray[Any], tmp_path: Path) -> None:
    data = encoded(photo, "JPEG2000")
    struct.pack_into(">I", data, data.index(b"colr") + 7, space)
    (tmp_path / "a.jp2").write_bytes(data)
    assert read(tmp_path / "a.jp2").notes == notes(tmp_path / "a.jp2") == expected


def test_a_profile_in_jpeg_2000(photo: NDArray[Any], tmp_path: Path) -> None:
    """Method 2, a restricted profile (ISO/IEC 15444-1, I.5.3.3), in place of an enumerated colour space."""
    data = encoded(photo, "JPEG2000")
    place = data.index(b"colr")
    for profile, expected in ((b"another", ("ICC profile other than sRGB, not converted",)), (b"a sRGB one", ())):
        box = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
        header = data.index(b"jp2h") - 4
        (length,) = struct.unpack_from(">I", data, header)
        (old,) = struct.unpack_from(">I", data, place - 4)
        changed = data[: place - 4] + box + data[place - 4 + old :]
        struct.pack_into(">I", changed, header, length - old + len(box))
        (tmp_path / "a.jp2").write_bytes(changed)
        assert notes(tmp_path / "a.jp2") == expected
    assert np.asarray(read(tmp_path / "a.jp2").pixels).shape == (40, 51, 3)
