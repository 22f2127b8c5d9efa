"""The inner loops of MS-SSIM, compiled by numba. Importing this module costs numba's import (0.3-0.5 s).

Planes. A picture is kept as one flat float32 array: C planes of `h` rows, each row `stride` samples wide, with a zero
row above and a zero column to the left of every plane, so that pixel (r, c) of plane p lies at
``(p * (h + 1) + r + 1) * stride + c + 1``. The zeros are the padding that halving needs; `layout` gives the sizes.

Loops. A level is filtered in strips `STRIP` columns wide and `BLOCK` rows at a time: rows first into a buffer that
stays in the L1 cache, then columns, where the sum is computed at once. Three rules let the compiler vectorise, which
makes the loops two to four times as fast: all strides inside the buffers and all trip counts are constants (few
overlap tests, no remainder loops), arrays are flat (views cost reference counts), and every index is unsigned (numba
tests signed ones for wrap-around).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Plane32: TypeAlias = NDArray[np.float32]
Plane64: TypeAlias = NDArray[np.float64]
Index: TypeAlias = Any
"""An np.uintp, as is every index and size in compiled code (numpy's stubs lose its width in arithmetic)."""

HALO = 10  # an 11-tap window reads 5 samples on each side
STRIP = 128
BLOCK = 16
SLACK = 16  # samples that a row has beyond its strips: HALO rounded up to whole vectors

_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10 = (np.uintp(i) for i in range(11))
_STRIP, _BLOCK, _SLACK = np.uintp(STRIP), np.uintp(BLOCK), np.uintp(SLACK)
_LINE, _LINE2 = np.uintp(STRIP + SLACK), np.uintp(2 * (STRIP + SLACK))
_BUFFER, _BUFFER2 = np.uintp((BLOCK + HALO) * STRIP), np.uintp(2 * (BLOCK + HALO) * STRIP)
_KEPT = np.uintp(HALO * STRIP)
_FLUSH = np.uintp(2 * BLOCK)  # rows summed in float32 before they join the float64 total


def _compiled(function: Function) -> Function:
    """`function` compiled for one thread. The compiler may contract to fused multiply-add, and reorder nothing else.

    The machine code is cached next to this file or, where that folder is read-only, in the user's cache folder; where
    neither can be written, it is compiled in each process.
    """
    compiled: Any
    try:
        compiled = numba.njit(function, cache=True, error_model="numpy", fastmath={"contract"})
    except RuntimeError:  # numba found no folder it may write to
        compiled = numba.njit(function, error_model="numpy", fastmath={"contract"})
    return cast(Function, compiled)


def layout(height: int, width: int) -> tuple[int, int]:
    """The strides, in samples, of a plane's rows and of its filtered maps' rows, for a level of `height` x `width`."""
    strips = -(-(width - HALO) // STRIP)
    return strips * STRIP + SLACK, strips * STRIP


def planes(channels: int, height: int, width: int) -> Plane32:
    """Zeroed planes for a level; the last strip of the last row reads into the slack at the end."""
    stride, _ = layout(height, width)
    return np.zeros(channels * (height + 1) * stride + SLACK, np.float32)


def scratch(dtype: type[np.floating[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Line, buffer and column sums for `losses` (float32) and `moments` (float64)."""
    return np.zeros(3 * int(_LINE), dtype), np.zeros(3 * int(_BUFFER), dtype), np.zeros(STRIP, dtype)


@_compiled
def errors(reference: Plane32, image: Any, channels: Index, height: Index, width: Index, stride: Index, unit: Any,
           out: Plane32) -> None:
    """out = image / unit - reference, as planes.

    Args:
        reference, out: planes of the level.
        image: (H * W * C,) uint8 or uint16, interleaved.
        unit: float32; 1 for 8 bits, 257 for 16 bits, so that both span 0 .. 255.
    """
    plane = (height + _1) * stride
    for r in range(height):
        o = (r + _1) * stride + _1
        i = r * width * channels
        if channels == _3:
            b = o + plane
            c = b + plane
            for j in range(width):
                s = i + _3 * j
                out[o + j] = np.float32(image[s]) / unit - reference[o + j]
                out[b + j] = np.float32(image[s + _1]) / unit - reference[b + j]
                out[c + j] = np.float32(image[s + _2]) / unit - reference[c + j]
        else:
            for j in range(width):
                out[o + j] = np.float32(image[i + j]) / unit - reference[o + j]


@_compiled
def halve(fine: Plane32, channels: Index, height: Index, width: Index, stride: Index, coarse: Plane32,
          coarse_stride: Index) -> None:
    """Mean over 2 x 2 pixels. An odd side gets one zero before its first row or column, which counts in the mean."""
    h, w = (height + _1) // _2, (width + _1) // _2
    first = (_1 - height % _2) * stride + (_1 - width % _2)
    quarter = np.float32(0.25)
    for p in range(channels):
        for r in range(h):
            a = (p * (height + _1) + _2 * r) * stride + first
            b = a + stride
            o = (p * (h + _1) + r + _1) * coarse_stride + _1
            for j in range(w):
                s = _2 * j
                coarse[o + j] = quarter * ((fine[a + s] + fine[a + s + _1]) + (fine[b + s] + fine[b + s + _1]))


@_compiled
def _gauss(x: Any, at: Index, step: Index, g: Any) -> Any:
    """The 11-tap window over x[at], x[at + step] ...; `g` holds its first six weights, the rest mirror them."""
    return (g[5] * x[at + _5 * step]
            + g[4] * (x[at + _4 * step] + x[at + _6 * step])
            + g[3] * (x[at + _3 * step] + x[at + _7 * step])
            + g[2] * (x[at + _2 * step] + x[at + _8 * step])
            + g[1] * (x[at + step] + x[at + _9 * step])
            + g[0] * (x[at] + x[at + _10 * step]))


@_compiled
def _filter_rows(e: Plane32, x: Plane32, at: Index, stride: Index, rows: Index, line: Plane32, buffer: Plane32,
                 first: Index, g: Any) -> None:
    """Rows at[0 .. rows) of e, e * e and y * y - x * x = e * (e + 2 x), windowed along the row, into the buffer."""
    two = np.float32(2)
    for i in range(rows):
        o = at + i * stride
        for j in range(_LINE):
            v = e[o + j]
            line[j] = v
            line[j + _LINE] = v * v
            line[j + _LINE2] = v * (v + two * x[o + j])
        o = (first + i) * _STRIP
        for j in range(_STRIP):
            buffer[o + j] = _gauss(line, j, _1, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER] = _gauss(line, j + _LINE, _1, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER2] = _gauss(line, j + _LINE2, _1, g)


@_compiled
def _sum_columns(buffer: Plane32, mean: Plane32, base: Plane32, at: Index, stride: Index, rows: Index, sums: Plane32,
                 g: Any) -> None:
    """sums += 1 - cs, row by row: the window down the columns, then the quotient."""
    two = np.float32(2)
    for i in range(rows):
        p = i * _STRIP
        o = at + i * stride
        for j in range(_STRIP):
            m = _gauss(buffer, p + j, _STRIP, g)
            ee = _gauss(buffer, p + j + _BUFFER, _STRIP, g)
            yy_xx = _gauss(buffer, p + j + _BUFFER2, _STRIP, g)
            sums[j] += (ee - m * m) / (base[o + j] + (yy_xx - m * (m + two * mean[o + j])))


@_compiled
def losses(e: Plane32, x: Plane32, mean: Plane32, base: Plane32, channels: Index, height: Index, stride: Index, g: Any,
           line: Plane32, buffer: Plane32, sums: Plane32, out: Plane64) -> None:
    """out[p] = sum over plane p of 1 - cs.

    With e = y - x the contrast-structure term is cs = 1 - var(e) / (var(x) + var(y) + C2): no difference of nearly
    equal numbers, which is why float32 is enough here.

    Args:
        e, x: planes of the error and of the reference.
        mean, base: maps of the reference from `moments`.
        g: six float32 weights.
        line, buffer, sums: from `scratch`.
    """
    map_stride = stride - _SLACK
    map_height = height - _10
    for p in range(channels):
        plane = (p * (height + _1) + _1) * stride + _1
        maps = p * map_height * map_stride
        total = 0.0
        for left in range(_0, map_stride, _STRIP):
            pending = _0
            _filter_rows(e, x, plane + left, stride, _10, line, buffer, _0, g)
            for r in range(_0, map_height, _BLOCK):
                rows = min(_BLOCK, map_height - r)
                _filter_rows(e, x, plane + left + (r + _10) * stride, stride, rows, line, buffer, _10, g)
                _sum_columns(buffer, mean, base, maps + left + r * map_stride, map_stride, rows, sums, g)
                for j in range(_KEPT):
                    buffer[j] = buffer[j + _BLOCK * _STRIP]
                for j in range(_BUFFER, _BUFFER + _KEPT):
                    buffer[j] = buffer[j + _BLOCK * _STRIP]
                for j in range(_BUFFER2, _BUFFER2 + _KEPT):
                    buffer[j] = buffer[j + _BLOCK * _STRIP]
                pending += rows
                if pending >= _FLUSH or r + rows == map_height:
                    pending = _0
                    for j in range(_STRIP):
                        total += np.float64(sums[j])
                        sums[j] = np.float32(0)
        out[p] = total


@_compiled
def moments(x: Plane32, channels: Index, height: Index, width: Index, stride: Index, c2: float, g: Any, line: Plane64,
            buffer: Plane64, mean: Plane32, base: Plane32) -> None:
    """Maps of the reference: its windowed mean, and base = 2 var(x) + C2, both computed in float64.

    Outside the valid area base is infinite, so that what a strip has beyond it adds nothing to the sums of `losses`.

    Args:
        x: planes of the reference.
        g: six float64 weights.
        line, buffer: from `scratch`.
        mean, base: (C * (H - 10) * map stride,) to be written.
    """
    map_stride = stride - _SLACK
    map_height = height - _10
    for p in range(channels):
        plane = (p * (height + _1) + _1) * stride + _1
        maps = p * map_height * map_stride
        for left in range(_0, map_stride, _STRIP):
            valid = min(_STRIP, width - _10 - left)
            _square_rows(x, plane + left, stride, _10, line, buffer, _0, g)
            for r in range(_0, map_height, _BLOCK):
                rows = min(_BLOCK, map_height - r)
                _square_rows(x, plane + left + (r + _10) * stride, stride, rows, line, buffer, _10, g)
                for i in range(rows):
                    o = maps + left + (r + i) * map_stride
                    for j in range(_STRIP):
                        m = _gauss(buffer, i * _STRIP + j, _STRIP, g)
                        mean[o + j] = np.float32(m)
                        square = _gauss(buffer, i * _STRIP + j + _BUFFER, _STRIP, g)
                        base[o + j] = np.float32((square - m * m) * 2 + c2)
                    for j in range(valid, _STRIP):
                        base[o + j] = np.float32(np.inf)
                for j in range(_KEPT):
                    buffer[j] = buffer[j + _BLOCK * _STRIP]
                for j in range(_BUFFER, _BUFFER + _KEPT):
                    buffer[j] = buffer[j + _BLOCK * _STRIP]


@_compiled
def _square_rows(x: Plane32, at: Index, stride: Index, rows: Index, line: Plane64, buffer: Plane64, first: Index,
                 g: Any) -> None:
    """Rows at[0 .. rows) of x and x * x, windowed along the row, into the buffer."""
    for i in range(rows):
        o = at + i * stride
        for j in range(_LINE):
            v = np.float64(x[o + j])
            line[j] = v
            line[j + _LINE] = v * v
        o = (first + i) * _STRIP
        for j in range(_STRIP):
            buffer[o + j] = _gauss(line, j, _1, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER] = _gauss(line, j + _LINE, _1, g)
