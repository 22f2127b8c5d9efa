"""The inner loops of MS-SSIM, compiled by numba; `machine_code` imports this module where they are not compiled yet.

Planes. A picture, and each of its coarser scales, is one flat array of whole numbers: rows of `stride` samples, in
which channels are interleaved as in the file. So a window along a row steps by the number of channels, no channel is
ever copied apart, and the finest scale is the picture itself. A coarser scale holds sums over 2 x 2 pixels, not means:
they stay whole numbers (and exact in float32), and constants grow with them (see `ms_ssim_halving`).

Loops. A scale is filtered in strips `STRIP` samples wide and `BLOCK` rows at a time: rows first into a buffer that
stays in the L1 cache, then columns, where the sum is computed at once. The last strip is moved left to end with the
row; what it has in common with the strip before is not counted twice. What is kept of the reference lies strip after
strip, as it is read: row after row, it would be read in pieces far apart, which takes twice the time. Three rules let
the compiler vectorise, which makes the loops two to four times as fast: all strides inside the buffers and all trip
counts are constants (few overlap tests, no remainder loops), arrays are flat (views cost reference counts), and every
index is unsigned (numba tests signed ones for wrap-around). The number of channels is the length of a tuple for the
same reason: each length is compiled for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox_metrics.compiled import compiled, prefetch, widest_vectors
from benchbox_metrics.strips import BLOCK, HALO, LINE, SLACK, STRIP

Plane: TypeAlias = NDArray[np.integer[Any]]
Plane32: TypeAlias = NDArray[np.float32]
Plane64: TypeAlias = NDArray[np.float64]
Index: TypeAlias = Any
"""An np.uintp, as is every index and size in compiled code (numpy's stubs lose its width in arithmetic)."""

_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13 = (np.uintp(i) for i in range(14))
_STRIP, _STRIP2, _BLOCK = np.uintp(STRIP), np.uintp(2 * STRIP), np.uintp(BLOCK)
_SLACK, _FETCHED, _FETCHED32 = np.uintp(SLACK), np.uintp(LINE), np.uintp(LINE // 4)
_LINE, _LINE2 = np.uintp(STRIP + SLACK), np.uintp(2 * (STRIP + SLACK))
_BUFFER, _BUFFER2 = np.uintp((BLOCK + HALO) * STRIP), np.uintp(2 * (BLOCK + HALO) * STRIP)
_KEPT = np.uintp(HALO * STRIP)
_FLUSH = np.uintp(4 * BLOCK)  # rows summed in float32 before they join the float64 total


@compiled
def _weighed(v0: Any, v1: Any, v2: Any, v3: Any, v4: Any, v5: Any, v6: Any, v7: Any, v8: Any, v9: Any, v10: Any,
             g: Any) -> Any:  # fmt: skip
    """The 11-tap window over eleven values; `g` holds its first six weights, the rest mirror them."""
    return g[5] * v5 + g[4] * (v4 + v6) + g[3] * (v3 + v7) + g[2] * (v2 + v8) + g[1] * (v1 + v9) + g[0] * (v0 + v10)


@compiled
def _gauss(x: Any, at: Index, step: Index, g: Any) -> Any:
    """The window over x[at], x[at + step] ..."""
    return _weighed(x[at], x[at + step], x[at + _2 * step], x[at + _3 * step], x[at + _4 * step], x[at + _5 * step],
                    x[at + _6 * step], x[at + _7 * step], x[at + _8 * step], x[at + _9 * step], x[at + _10 * step], g)


@compiled
def _start(done: Index, samples: Index) -> Index:
    """The first sample of the strip of which those before `done` are counted already."""
    return done if done + _STRIP <= samples or samples < _STRIP else samples - _STRIP


@compiled
def _filter_rows(y: Plane, x: Plane, at: Index, stride: Index, rows: Index, line: Plane32, buffer: Plane32,
                 first: Index, step: Index, g: Any, maps: Plane32, maps_at: Index) -> None:
    """Rows at[0 .. rows) of e = y - x, e * e and y * y - x * x = e * (y + x), windowed along the row, into the
    buffer. Meanwhile the rows that come next and the maps from `maps_at` on are fetched, which else takes a fifth of
    the time: no processor sees that rows far apart follow each other."""
    widest_vectors()
    # What is beyond the strip is read in whole vectors that end with the halo: past it, the picture may end.
    last = np.uintp(32) if step == _3 else np.uintp(16)
    rest = _STRIP + _10 * step - last
    for i in range(rows):
        o = at + i * stride
        for j in range(_0, _STRIP2, _FETCHED32):
            prefetch(maps, maps_at + i * _STRIP2 + j)
        for j in range(_0, _STRIP + _SLACK, _FETCHED):
            prefetch(y, o + _4 * stride + j)
            prefetch(x, o + _4 * stride + j)
        for j in range(_STRIP):
            a, b = np.float32(y[o + j]), np.float32(x[o + j])
            line[j] = a - b
            line[j + _LINE] = (a - b) * (a - b)
            line[j + _LINE2] = (a - b) * (a + b)
        for j in range(last):
            a, b = np.float32(y[o + rest + j]), np.float32(x[o + rest + j])
            line[rest + j] = a - b
            line[rest + j + _LINE] = (a - b) * (a - b)
            line[rest + j + _LINE2] = (a - b) * (a + b)
        o = (first + i) * _STRIP
        for j in range(_STRIP):
            buffer[o + j] = _gauss(line, j, step, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER] = _gauss(line, j + _LINE, step, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER2] = _gauss(line, j + _LINE2, step, g)


@compiled
def _four_columns(buffer: Plane32, at: Index, out: Plane32, to: Index, g: Any) -> None:
    """Four rows of the window down the columns, from buffer[at] on, into out[to]: each row of the buffer is loaded once
    for all four."""
    widest_vectors()
    for j in range(_STRIP):
        p, o = at + j, to + j
        v0, v1, v2 = buffer[p], buffer[p + _STRIP], buffer[p + _2 * _STRIP]
        v3, v4, v5 = buffer[p + _3 * _STRIP], buffer[p + _4 * _STRIP], buffer[p + _5 * _STRIP]
        v6, v7, v8 = buffer[p + _6 * _STRIP], buffer[p + _7 * _STRIP], buffer[p + _8 * _STRIP]
        v9, v10, v11 = buffer[p + _9 * _STRIP], buffer[p + _10 * _STRIP], buffer[p + _11 * _STRIP]
        v12, v13 = buffer[p + _12 * _STRIP], buffer[p + _13 * _STRIP]
        out[o] = _weighed(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, g)
        out[o + _STRIP] = _weighed(v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, g)
        out[o + _2 * _STRIP] = _weighed(v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, g)
        out[o + _3 * _STRIP] = _weighed(v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, g)


@compiled
def _sum_columns(buffer: Plane32, maps: Plane32, at: Index, rows: Index, sums: Plane32, g: Any) -> None:
    """sums[: STRIP] += 1 - cs, row by row: the window down the columns, then the quotient. Behind these sums, `sums`
    takes four windowed rows of each part. (The last of four may be beyond `rows`: it is windowed, and not counted.)"""
    widest_vectors()
    two = np.float32(2)
    for i in range(_0, rows, _4):
        p = i * _STRIP
        _four_columns(buffer, p, sums, _STRIP, g)
        _four_columns(buffer, p + _BUFFER, sums, _5 * _STRIP, g)
        _four_columns(buffer, p + _BUFFER2, sums, _9 * _STRIP, g)
        for r in range(min(_4, rows - i)):
            o = at + (i + r) * _STRIP2
            q = (r + _1) * _STRIP
            for j in range(_STRIP):
                m = sums[q + j]
                ee = sums[q + j + _4 * _STRIP]
                yy_xx = sums[q + j + _8 * _STRIP]
                sums[j] += (ee - m * m) / (maps[o + j + _STRIP] + (yy_xx - m * (m + two * maps[o + j])))


@compiled
def losses(y: Plane, x: Plane, maps: Plane32, channels: Any, height: Index, width: Index, stride: Index, g: Any,
           line: Plane32, buffer: Plane32, sums: Plane32, out: Plane64) -> None:
    """out[c] += sum over channel c of 1 - cs.

    With e = y - x the contrast-structure term is cs = 1 - var(e) / (var(x) + var(y) + C2): no difference of nearly
    equal numbers, which is why float32 is enough here.

    Args:
        y, x: planes of the decoded picture and of the reference, of `height` rows of `width` pixels.
        maps: of the reference, from `moments`.
        channels: a tuple with an item for each channel.
        g: six float32 weights.
        line, buffer: from `strips.scratch`.
        sums: from `strips.sums`; the first STRIP are zeros, and again zeros at the end.
    """
    widest_vectors()
    step = np.uintp(len(channels))
    samples, map_height = (width - _10) * step, height - _10
    done, at = _0, _0
    while done < samples:
        left = _start(done, samples)
        pending = _0
        _filter_rows(y, x, left, stride, _10, line, buffer, _0, step, g, maps, at)
        for r in range(_0, map_height, _BLOCK):
            rows = min(_BLOCK, map_height - r)
            _filter_rows(y, x, left + (r + _10) * stride, stride, rows, line, buffer, _10, step, g, maps, at)
            _sum_columns(buffer, maps, at, rows, sums, g)
            at += rows * _STRIP2
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
                    if done <= left + j and left + j < samples:
                        out[(left + j) % step] += np.float64(sums[j])
                    sums[j] = np.float32(0)
        done = left + _STRIP


@compiled
def moments(x: Plane, channels: Any, height: Index, width: Index, stride: Index, c2: float, g: Any, line: Plane64,
            buffer: Plane64, maps: Plane32) -> None:
    """For each strip and row of the reference, its windowed mean and then 2 var(x) + C2, both computed in float64.

    Args:
        x: plane of the reference, of `height` rows of `width` pixels.
        channels: a tuple with an item for each channel.
        c2: C2 on the range of the plane.
        g: six float64 weights.
        line, buffer: from `strips.scratch`.
        maps: is written.
    """
    widest_vectors()
    step = np.uintp(len(channels))
    samples, map_height = (width - _10) * step, height - _10
    done, o = _0, _0
    while done < samples:
        left = _start(done, samples)
        _square_rows(x, left, stride, _10, line, buffer, _0, step, g)
        for r in range(_0, map_height, _BLOCK):
            rows = min(_BLOCK, map_height - r)
            _square_rows(x, left + (r + _10) * stride, stride, rows, line, buffer, _10, step, g)
            for i in range(rows):
                for j in range(_STRIP):
                    m = _gauss(buffer, i * _STRIP + j, _STRIP, g)
                    square = _gauss(buffer, i * _STRIP + j + _BUFFER, _STRIP, g)
                    maps[o + j] = np.float32(m)
                    maps[o + j + _STRIP] = np.float32((square - m * m) * 2 + c2)
                o += _STRIP2
            for j in range(_KEPT):
                buffer[j] = buffer[j + _BLOCK * _STRIP]
            for j in range(_BUFFER, _BUFFER + _KEPT):
                buffer[j] = buffer[j + _BLOCK * _STRIP]
        done = left + _STRIP


@compiled
def _square_rows(x: Plane, at: Index, stride: Index, rows: Index, line: Plane64, buffer: Plane64, first: Index,
                 step: Index, g: Any) -> None:
    """Rows at[0 .. rows) of x and x * x, windowed along the row, into the buffer."""
    widest_vectors()
    for i in range(rows):
        o = at + i * stride
        for j in range(_STRIP + _10 * step):
            v = np.float64(x[o + j])
            line[j] = v
            line[j + _LINE] = v * v
        o = (first + i) * _STRIP
        for j in range(_STRIP):
            buffer[o + j] = _gauss(line, j, step, g)
        for j in range(_STRIP):
            buffer[o + j + _BUFFER] = _gauss(line, j + _LINE, step, g)


def losing(channels: int) -> Callable[..., None]:
    """The kernel `losses` for a number of channels; the weights are six numbers there."""
    each = (np.float32(0),) * channels

    def kernel(y: Any, x: Any, maps: Any, height: Any, width: Any, stride: Any, g0: Any, g1: Any, g2: Any, g3: Any,
               g4: Any, g5: Any, line: Any, buffer: Any, sums: Any, out: Any) -> None:  # fmt: skip
        losses(y, x, maps, each, height, width, stride, (g0, g1, g2, g3, g4, g5), line, buffer, sums, out)

    return kernel


def taking_moments(channels: int) -> Callable[..., None]:
    """The kernel `moments` for a number of channels; the weights are six numbers there."""
    each = (np.float32(0),) * channels

    def kernel(x: Any, height: Any, width: Any, stride: Any, c2: Any, g0: Any, g1: Any, g2: Any, g3: Any, g4: Any,
               g5: Any, line: Any, buffer: Any, maps: Any) -> None:  # fmt: skip
        moments(x, each, height, width, stride, c2, (g0, g1, g2, g3, g4, g5), line, buffer, maps)

    return kernel
