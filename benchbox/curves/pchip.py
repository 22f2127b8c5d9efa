"""Piecewise cubic Hermite interpolation (PCHIP) of rising points: scipy's results at a lower cost per curve.

A report of a million points fits a hundred thousand curves of twenty points, and scipy's `PchipInterpolator` spends ten
times as long on checking its arguments as on the fit; importing it takes a quarter of a second. This module computes
only what is needed, for points that already rise strictly, as those in `benchbox.curves.bd` do: of one curve, or of
many at once.
Sources: for inner slopes, F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300; for the ends, the
three-point formula of C. Moler, "Numerical Computing with MATLAB" (2004), 3.6. Tested against scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Piecewise:
    """A piecewise polynomial: (powers, P - 1) coefficients `pieces`, highest power first, between the (P,) points `x`.
    Beyond the ends the outer pieces go on."""

    pieces: Floats
    x: Floats

    def __call__(self, places: Floats) -> Floats:
        """The values at `places`, of any shape; NaN at NaN."""
        places = np.asarray(places, dtype=np.float64)
        piece = np.searchsorted(self.x[1:-1], places, side="right")
        return _summed(self.pieces[:, piece], places - self.x[piece])


def pchip(x: Floats, y: Floats) -> tuple[Piecewise, Piecewise]:
    """The function through the points (x, y), P >= 3 float64 each, both strictly rising, and its antiderivative, which
    is 0 at x[0]. Nothing is checked."""
    cubic, quartic = _pieces(x, y)
    return Piecewise(cubic, x), Piecewise(quartic, x)


def antiderivatives(x: Floats, y: Floats) -> Floats:
    """The antiderivatives of the functions through the points (x, y), (K, P >= 3) each, rising strictly in each row:
    (5, K, P - 1) coefficients of their pieces, highest power first. Nothing is checked."""
    return _pieces(x, y)[1]


def _pieces(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Coefficients of the functions through (x, y), (..., P) each, and of their antiderivatives: (4, ..., P - 1) and
    (5, ..., P - 1)."""
    width = x[..., 1:] - x[..., :-1]
    mean = (y[..., 1:] - y[..., :-1]) / width
    slope = _slopes(width, mean)
    first, last = slope[..., :-1], slope[..., 1:]
    cubic = np.empty((4, *width.shape))
    cubic[0] = (first + last - 2 * mean) / (width * width)
    cubic[1] = (3 * mean - 2 * first - last) / width
    cubic[2] = first
    cubic[3] = y[..., :-1]
    quartic = np.empty((5, *width.shape))
    for power in range(4):
        quartic[power] = cubic[power] / (4 - power)
    area = (((quartic[0] * width + quartic[1]) * width + quartic[2]) * width + quartic[3]) * width
    quartic[4, ..., 0] = 0.0
    np.cumsum(area[..., :-1], axis=-1, out=quartic[4, ..., 1:])
    return cubic, quartic


def values_at(pieces: Floats, x: Floats, places: Floats) -> Floats:
    """(K, Q) values of K piecewise polynomials, (powers, K, P - 1) between (K, P) rising `x`, each at its own (K, Q)
    `places`; NaN at NaN. Beyond the ends the outer pieces go on."""
    piece = (places[:, :, None] >= x[:, None, 1:-1]).sum(axis=2)
    return _summed(np.take_along_axis(pieces, piece[None], axis=2), places - np.take_along_axis(x, piece, axis=1))


def _summed(coefficients: Floats, beyond: Floats) -> Floats:
    """The values of polynomials, (powers, ...) coefficients, each `beyond` the start of its piece. Powers are summed as
    scipy sums them, so that digits are the same."""
    power, total = np.ones_like(beyond), np.zeros_like(beyond)
    for one in coefficients[::-1]:
        total += one * power
        power *= beyond
    return total


def _slopes(width: Floats, mean: Floats) -> Floats:
    """The slope at each point, from the `width` and `mean` slope (> 0) of each piece: inside, the weighted harmonic
    mean of both neighbours; at the ends, the three-point formula."""
    slope = np.empty((*width.shape[:-1], width.shape[-1] + 1))
    before, after = 2 * width[..., 1:] + width[..., :-1], width[..., 1:] + 2 * width[..., :-1]
    slope[..., 1:-1] = (before + after) / (before / mean[..., :-1] + after / mean[..., 1:])
    for end, near, far in ((0, 0, 1), (-1, -1, -2)):
        h, g = width[..., near], width[..., far]
        slope[..., end] = np.maximum(0.0, ((2 * h + g) * mean[..., near] - h * mean[..., far]) / (h + g))
    return slope
