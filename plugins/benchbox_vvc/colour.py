"""8-bit RGB to 10-bit YCbCr 4:2:0 and back: the matrix of BT.709, full range, chroma sited between the luma samples.

Matrix: ITU-R BT.709-6, item 3.2 (Kr 0.2126, Kb 0.0722), without its limited range: Y' spans 0 .. 1023, Cb and Cr
512 - 511.5 .. 512 + 511.5, clipped to 0 .. 1023. Chroma goes down as the mean of 2x2 samples before rounding and
comes up by the triangle filter (9, 3, 3, 1)/16 that JPEG decoders use. All arithmetic is float64, element by element,
so that every machine gives the same samples.

``python -m benchbox_vvc.colour PICTURE ...`` prints the loss of this conversion alone, as PSNR.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox.image import Image, read

Plane: TypeAlias = NDArray[np.uint16]
_Float: TypeAlias = NDArray[np.float64]

KR, KB = 0.2126, 0.0722
KG = 1 - KR - KB
PEAK = 1023
MIDDLE = 512


def to_planes(rgb: Image) -> tuple[Plane, Plane, Plane]:
    """Y' (H, W), Cb and Cr (H/2, W/2), uint16 from 0 to 1023, of (H, W, 3) uint8 with even H and W."""
    red, green, blue = (rgb[:, :, channel].astype(np.float64) * (PEAK / 255) for channel in range(3))
    luma = KR * red + KG * green + KB * blue
    cb = _halve((blue - luma) / (2 * (1 - KB)))
    cr = _halve((red - luma) / (2 * (1 - KR)))
    return _samples(luma), _samples(cb + MIDDLE), _samples(cr + MIDDLE)


def from_planes(luma: Plane, cb: Plane, cr: Plane) -> Image:
    """(H, W, 3) uint8 from the planes of `to_planes`."""
    y = luma.astype(np.float64)
    blue_less = _double(cb.astype(np.float64) - MIDDLE) * (2 * (1 - KB))
    red_less = _double(cr.astype(np.float64) - MIDDLE) * (2 * (1 - KR))
    green = y - (KR / KG) * red_less - (KB / KG) * blue_less
    rgb = np.empty((*y.shape, 3), np.uint8)
    for channel, plane in enumerate((y + red_less, green, y + blue_less)):
        rgb[:, :, channel] = np.clip(np.rint(plane * (255 / PEAK)), 0, 255)
    return rgb


def gray_to_luma(gray: Image) -> Plane:
    """(H, W) uint16 from 0 to 1023 of (H, W, 1) uint8; `luma_to_gray` gives exactly the same gray back."""
    return _samples(gray[:, :, 0].astype(np.float64) * (PEAK / 255))


def luma_to_gray(luma: Plane) -> Image:
    """(H, W, 1) uint8 from the plane of `gray_to_luma`."""
    return np.asarray(np.rint(luma[:, :, None] * (255 / PEAK)), dtype=np.uint8)


def _samples(plane: _Float) -> Plane:
    return np.asarray(np.clip(np.rint(plane), 0, PEAK), dtype=np.uint16)


def _halve(plane: _Float) -> _Float:
    return (plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]) / 4


def _double(plane: _Float) -> _Float:
    return _double_rows(_double_rows(plane).T).T


def _double_rows(plane: _Float) -> _Float:
    before = np.concatenate([plane[:1], plane[:-1]])
    after = np.concatenate([plane[1:], plane[-1:]])
    rows: Any = np.empty((2 * plane.shape[0], plane.shape[1]))
    rows[0::2] = 0.75 * plane + 0.25 * before
    rows[1::2] = 0.75 * plane + 0.25 * after
    return np.asarray(rows, dtype=np.float64)


def main(paths: Sequence[str]) -> int:
    """Print the PSNR in dB of RGB pictures converted and converted back, a line for each picture."""
    for path in paths:
        pixels = read(path).pixels
        rows, columns = (side % 2 for side in pixels.shape[:2])
        padded = np.pad(pixels, ((0, rows), (0, columns), (0, 0)), mode="edge")
        back = from_planes(*to_planes(padded))[:pixels.shape[0], :pixels.shape[1]]
        error = float(np.mean((back.astype(np.float64) - pixels) ** 2))
        print(f"{path} {10 * np.log10(255**2 / error):.2f} dB" if error else f"{path} exact")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
