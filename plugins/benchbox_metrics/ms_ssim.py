"""MS-SSIM: structural similarity over five scales, each half as fine as the one before.

Source: Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment", 37th Asilomar
Conference on Signals, Systems and Computers, 2003, equations 6 and 7 and the weights of section 3.2. What the paper
leaves open follows `pytorch_msssim.ms_ssim`, with which the literature on learned compression is measured:
an 11 x 11 Gaussian window of sigma 1.5 that stays inside the picture, K1 = 0.01 and K2 = 0.03, scales halved by
the mean over 2 x 2 pixels (an odd side first gets a zero row or column, which counts), means over a scale that are
negative counted as 0, each channel scored alone and the channels averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox_metrics.pair import check_pair, check_reference

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


@dataclass(frozen=True)
class Level:
    """One scale of the reference, and buffers for the error at that scale.

    Attributes:
        height, width, stride: in samples; see `ms_ssim_kernels` for the layout of planes.
        x, e: planes of the reference and of the error, on the range 0 .. 255.
        mean, base: maps of the reference, as `ms_ssim_kernels.moments` writes them; empty at the coarsest scale.
    """

    height: np.uintp
    width: np.uintp
    stride: np.uintp
    x: NDArray[np.float32]
    e: NDArray[np.float32]
    mean: NDArray[np.float32]
    base: NDArray[np.float32]

    def pixels(self, planes: NDArray[np.float32], channels: int) -> NDArray[np.float64]:
        """`planes` as (C, H, W) float64."""
        height, width, stride = int(self.height), int(self.width), int(self.stride)
        whole = planes[: channels * (height + 1) * stride].reshape(channels, height + 1, stride)
        return whole[:, 1:, 1 : width + 1].astype(np.float64)


class PreparedMsSsim(Prepared):
    """The reference at five scales, with its windowed means and variances: about 65 bytes a pixel for RGB."""

    def __init__(self, kernels: ModuleType, reference: Image) -> None:
        self._kernels = kernels
        self._like = np.broadcast_to(np.zeros((), reference.dtype), reference.shape)  # shape and dtype, no pixels
        self._channels = np.uintp(reference.shape[2])
        self._unit = np.float32(1 if reference.dtype == np.uint8 else 257)  # 65535 = 257 * 255
        self._taps = tuple(window()[: WINDOW // 2 + 1])
        self._scratch = kernels.scratch(np.float32)
        self._levels = self._measure(reference)
        coarsest = self._levels[-1]
        self._down, self._along = banded(int(coarsest.height)), banded(int(coarsest.width)).T
        self._x = coarsest.pixels(coarsest.x, reference.shape[2])
        self._mean_x = self._down @ self._x @ self._along
        self._var_x = self._down @ self._x**2 @ self._along - self._mean_x**2

    def score(self, image: Image) -> float:
        image = check_pair("ms-ssim", self._like, image)
        finest = self._levels[0]
        self._kernels.errors(finest.x, image.reshape(-1), self._channels, finest.height, finest.width, finest.stride,
                             self._unit, finest.e)  # fmt: skip
        loss = np.empty(int(self._channels))
        value = np.ones(int(self._channels))
        for level, coarser, weight in zip(self._levels, self._levels[1:], WEIGHTS, strict=False):
            self._kernels.losses(level.e, level.x, level.mean, level.base, self._channels, level.height, level.stride,
                                 self._taps, *self._scratch, loss)  # fmt: skip
            windows = (int(level.height) - WINDOW + 1) * (int(level.width) - WINDOW + 1)
            value *= np.clip(1 - loss / windows, 0, 1) ** weight  # only rounding takes it above 1
            self._halve(level, level.e, coarser, coarser.e)
        value *= np.clip(self._coarsest(), 0, 1) ** WEIGHTS[-1]
        return float(value.mean())

    def _measure(self, reference: Image) -> list[Level]:
        """The scales: the finest from the pixels, the others by halving; maps for all except the coarsest."""
        height, width = reference.shape[:2]
        levels: list[Level] = []
        for index in range(len(WEIGHTS)):
            level = self._empty(height, width, maps=index < len(WEIGHTS) - 1)
            if index == 0:
                # The error planes are still zero, and the error against black is the picture itself.
                self._kernels.errors(level.e, reference.reshape(-1), self._channels, level.height, level.width,
                                     level.stride, self._unit, level.x)  # fmt: skip
            else:
                self._halve(levels[-1], levels[-1].x, level, level.x)
            levels.append(level)
            height, width = -(-height // 2), -(-width // 2)
        line, buffer, _ = self._kernels.scratch(np.float64)
        taps = tuple(float(tap) for tap in self._taps)
        for level in levels[:-1]:
            self._kernels.moments(level.x, self._channels, level.height, level.width, level.stride, C2, taps, line,
                                  buffer, level.mean, level.base)  # fmt: skip
        return levels

    def _empty(self, height: int, width: int, maps: bool) -> Level:
        channels = int(self._channels)
        stride, map_stride = self._kernels.layout(height, width)
        size = channels * (height - WINDOW + 1) * map_stride if maps else 0
        return Level(np.uintp(height), np.uintp(width), np.uintp(stride),
                     self._kernels.planes(channels, height, width), self._kernels.planes(channels, height, width),
                     np.empty(size, np.float32), np.empty(size, np.float32))  # fmt: skip

    def _halve(self, fine: Level, planes: NDArray[Any], coarse: Level, out: NDArray[Any]) -> None:
        self._kernels.halve(planes, self._channels, fine.height, fine.width, fine.stride, out, coarse.stride)

    def _coarsest(self) -> NDArray[np.float64]:
        """Mean SSIM, luminance term included, at the coarsest scale, for each channel (float64: it is small)."""
        level = self._levels[-1]
        e = level.pixels(level.e, int(self._channels))
        mean_e, ee, xe = (self._down @ part @ self._along for part in (e, e * e, self._x * e))
        mean_x, var_x = self._mean_x, self._var_x
        mean_y, var_e = mean_x + mean_e, ee - mean_e**2
        var_y = var_x + 2 * (xe - mean_x * mean_e) + var_e
        contrast = 1 - var_e / (var_x + var_y + C2)
        luminance = 1 - mean_e**2 / (mean_x**2 + mean_y**2 + C1)
        return np.asarray((luminance * contrast).mean(axis=(1, 2)))


class MsSsimScorer(Scorer):
    """Holds the compiled kernels."""

    def __init__(self, kernels: ModuleType) -> None:
        self._kernels = kernels

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("ms-ssim", reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small for five scales: "
                                f"MS-SSIM needs {SMALLEST} pixels a side")  # fmt: skip
        return PreparedMsSsim(self._kernels, reference)


class MsSsim(Metric):
    """Not applicable to pictures below 161 pixels a side."""

    def open(self, device: str) -> Scorer:
        from benchbox_metrics import ms_ssim_kernels  # numba: 0.3-0.5 s

        return MsSsimScorer(ms_ssim_kernels)


MS_SSIM = MsSsim(id="ms-ssim", title="MS-SSIM", version="1", unit="", better="higher",
                 display=Display("MS-SSIM (dB)", decimals=2, transform="db"), lowest=0.0, highest=1.0)  # fmt: skip
