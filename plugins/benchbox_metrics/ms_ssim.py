"""MS-SSIM: structural similarity over five scales, each half as fine as the one before.

Source: Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment", 37th Asilomar
Conference on Signals, Systems and Computers, 2003, equations 6 and 7 and the weights of section 3.2. What the paper
leaves open follows `pytorch_msssim.ms_ssim`, with which the literature on learned compression is measured:
an 11 x 11 Gaussian window of sigma 1.5 that stays inside the picture, K1 = 0.01 and K2 = 0.03, scales halved by
the mean over 2 x 2 pixels (an odd side first gets a zero row or column, which counts), means over a scale that are
negative counted as 0, each channel scored alone and the channels averaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox_metrics import machine_code, strips
from benchbox_metrics.pair import check_pair, check_reference, flat

Plane: TypeAlias = NDArray[np.integer[Any]]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first (Wang et al. 2003, section 3.2)."""

TAPS = (0.0010283804, 0.007598758, 0.036000773, 0.10936069, 0.21300553, 0.26601171)
"""First half of the window, middle included: a Gaussian of sigma 1.5 as pytorch_msssim rounds it to float32.

They are written out because the last bit matters. A variance is the difference of two windowed values that are nearly
equal in flat areas, so weights whose sum differs by 1e-7 change scores by 5e-6; if they were computed here, they would
depend on the implementation of `exp`.
"""

WINDOW = 11
PEAK = 255.0
"""Both depths are scored on this range: 16-bit samples are divided by 257, never rounded."""

C1 = (0.01 * PEAK) ** 2
C2 = (0.03 * PEAK) ** 2

SMALLEST = (WINDOW - 1) * 2 ** (len(WEIGHTS) - 1) + 1
"""Smallest side in pixels, 161: pytorch_msssim's rule, by which the window fits the coarsest scale."""


def window() -> NDArray[np.float32]:
    """The 11 weights of the Gaussian."""
    return np.array(TAPS + TAPS[-2::-1], np.float32)


def banded(size: int) -> NDArray[np.float64]:
    """The window as a matrix (size - 10, size): its product with a column of `size` samples is the windowed column."""
    matrix = np.zeros((size - WINDOW + 1, size))
    for tap, weight in enumerate(window()):
        np.fill_diagonal(matrix[:, tap:], weight)
    return matrix


KEPT = 1 << 24
"""Samples of a picture of which maps are kept from one score to the next; of a larger one they are made for each score,
which takes longer, as they would take ten times the memory of the picture."""

BAND = 128
"""Rows of a larger picture that are scored at a time."""


_TYPES = {
    "halving": "{0}* uintp uintp uintp int32* {1}* uintp",
    "losing": "{0}* {0}* float32* uintp uintp uintp" + 6 * " float32" + 3 * " float32*" + " float64*",
    "taking_moments": "{0}* uintp uintp uintp" + 7 * " float64" + 2 * " float64*" + " float32*",
}
"""Types of the arguments of each kernel, where `{0}` is the plane's and `{1}` the coarser plane's."""


@cache
def _kernel(name: str, channels: int, *planes: Any) -> machine_code.Kernel:
    """A kernel for planes of these dtypes."""
    types = _TYPES[name].format(*(plane.name for plane in planes))
    return machine_code.load("ms_ssim_halving" if name == "halving" else "ms_ssim_kernels", name, types, channels)


@dataclass(frozen=True)
class Scale:
    """One scale of the reference; see `ms_ssim_kernels` for its plane.

    Attributes:
        height, width, stride: rows, pixels in each, samples from one to the next.
        unit: what one level of 8 bits is in this plane: coarser scales hold sums.
        x: the plane.
    """

    height: int
    width: int
    stride: int
    unit: int
    x: Plane

    def bands(self, rows: int) -> Iterator[tuple[int, int]]:
        """(first row, rows) of bands of at most `rows` rows of windows, each with the halo below it."""
        windows = self.height - WINDOW + 1
        for first in range(0, windows, rows):
            yield first, min(rows, windows - first) + WINDOW - 1

    def pixels(self, plane: Plane, channels: int) -> NDArray[np.float64]:
        """`plane` as (C, H, W) float64 on the range 0 .. 255."""
        rows = plane.reshape(self.height, self.stride)[:, : self.width * channels]
        return rows.reshape(self.height, self.width, channels).transpose(2, 0, 1) / float(self.unit)


class PreparedMsSsim(Prepared):
    """The reference at five scales and, of pictures up to `KEPT` samples, its windowed means and variances: 11 bytes a
    sample. Otherwise scoring takes 1.6 times the memory of the picture, besides the reference and the picture."""

    def __init__(self, reference: Image) -> None:
        self._like = np.broadcast_to(np.zeros((), reference.dtype), reference.shape)  # shape and dtype, no pixels
        self._channels = reference.shape[2]
        self._single, self._double = strips.scratch(np.float32), strips.scratch(np.float64)
        self._taps = tuple(window()[: WINDOW // 2 + 1])
        self._sums = strips.sums()
        self._line = np.zeros((reference.shape[1] + 1) * self._channels, np.int32)
        height, width, channels = reference.shape
        unit = 1 if reference.dtype == np.uint8 else 257  # 65535 = 257 * 255
        self._scales = [Scale(height, width, width * channels, unit, flat(reference))]
        for _ in WEIGHTS[1:]:
            fine = self._scales[-1]
            height, width = -(-fine.height // 2), -(-fine.width // 2)
            self._scales.append(Scale(height, width, strips.stride(width, channels), 4 * fine.unit,
                                      self._halved(fine, fine.x)))  # fmt: skip
        keep = reference.size <= KEPT
        self._rows = reference.shape[0] if keep else BAND
        self._maps = [self._moments(scale, 0, scale.height) if keep else None for scale in self._scales[:-1]]
        self._coarsest = _Coarsest(self._scales[-1], channels)

    def score(self, image: Image) -> float:
        y: Plane = flat(check_pair("ms-ssim", self._like, image))
        value = np.ones(self._channels)
        for scale, kept, weight in zip(self._scales, self._maps, WEIGHTS, strict=False):
            loss = np.zeros(self._channels)
            for first, rows in scale.bands(self._rows):
                maps = self._moments(scale, first, rows) if kept is None else kept
                start = first * scale.stride
                kernel = _kernel("losing", self._channels, y.dtype)
                kernel(y[start:], scale.x[start:], maps, rows, scale.width, scale.stride, *self._taps, *self._single,
                       self._sums, loss)  # fmt: skip
            windows = (scale.height - WINDOW + 1) * (scale.width - WINDOW + 1)
            value *= np.clip(1 - loss / windows, 0, 1) ** weight  # only rounding takes it above 1
            y = self._halved(scale, y)
        value *= np.clip(self._coarsest.similarity(y), 0, 1) ** WEIGHTS[-1]
        return float(value.mean())

    def _moments(self, scale: Scale, first: int, rows: int) -> NDArray[np.float32]:
        """The maps of a band of the reference."""
        maps: NDArray[np.float32] = strips.maps(rows, scale.width, self._channels)
        taps = tuple(float(tap) for tap in self._taps)
        kernel = _kernel("taking_moments", self._channels, scale.x.dtype)
        kernel(scale.x[first * scale.stride :], rows, scale.width, scale.stride, float(C2 * scale.unit**2), *taps,
               *self._double, maps)  # fmt: skip
        return maps

    def _halved(self, fine: Scale, plane: Plane) -> Plane:
        """`plane`, which is of the scale `fine`, at the next one. Sums of 4**4 samples of 8 bits fit 16 bits."""
        height, width = -(-fine.height // 2), -(-fine.width // 2)
        stride = strips.stride(width, self._channels)
        coarse: Plane = np.zeros(height * stride, np.uint16 if self._like.dtype == np.uint8 else np.int32)
        kernel = _kernel("halving", self._channels, plane.dtype, coarse.dtype)
        kernel(plane, fine.height, fine.width, fine.stride, self._line, coarse, stride)
        return coarse


class _Coarsest:
    """The reference at the coarsest scale, which is small: scored in float64."""

    def __init__(self, scale: Scale, channels: int) -> None:
        self._scale, self._channels = scale, channels
        self._down, self._along = banded(scale.height), banded(scale.width).T
        self._x = scale.pixels(scale.x, channels)
        self._mean_x = self._windowed(self._x)
        self._var_x = self._windowed(self._x**2) - self._mean_x**2

    def similarity(self, plane: Plane) -> NDArray[np.float64]:
        """Mean SSIM, luminance term included, for each channel."""
        e = self._scale.pixels(plane, self._channels) - self._x
        mean_e, ee, xe = (self._windowed(part) for part in (e, e * e, self._x * e))
        mean_x, var_x = self._mean_x, self._var_x
        mean_y, var_e = mean_x + mean_e, ee - mean_e**2
        var_y = var_x + 2 * (xe - mean_x * mean_e) + var_e
        contrast = 1 - var_e / (var_x + var_y + C2)
        luminance = 1 - mean_e**2 / (mean_x**2 + mean_y**2 + C1)
        return np.asarray((luminance * contrast).mean(axis=(1, 2)))

    def _windowed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._down @ values @ self._along)


class MsSsimScorer(Scorer):
    """Loads the compiled kernels by a first score, so that workers that are forked later share them."""

    def __init__(self) -> None:
        black = np.zeros((SMALLEST, SMALLEST, 3), np.uint8)
        PreparedMsSsim(black).score(black)

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("ms-ssim", reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small for five scales: "
                                f"MS-SSIM needs {SMALLEST} pixels a side")  # fmt: skip
        return PreparedMsSsim(reference)


class MsSsim(Metric):
    """Not applicable to pictures below 161 pixels a side."""

    def open(self, device: str) -> Scorer:
        return MsSsimScorer()


MS_SSIM = MsSsim(id="ms-ssim", title="MS-SSIM", version="1", unit="", better="higher",
                 display=Display("MS-SSIM (dB)", decimals=2, transform="db"), lowest=0.0, highest=1.0)  # fmt: skip
