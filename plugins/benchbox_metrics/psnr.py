"""PSNR over all channels: ``10 log10(peak**2 / MSE)`` in dB.

MSE is the mean squared error over every sample of every channel, so for RGB one mean over 3 H W samples, as in the
literature on learned compression (not the mean of three PSNRs). Peak is 255 or 65535. Gray has one channel.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox.image import peak
from benchbox_metrics import machine_code
from benchbox_metrics.pair import check_pair, check_reference, flat

BLOCK = 3 << 15
"""Samples processed at once (whole RGB pixels), so that their differences stay in the cache."""


def decibels(squared_error: float, samples: int, top: int) -> float:
    """PSNR in dB for a sum of squared errors (positive) over `samples` samples of peak `top`."""
    return 10 * math.log10(float(top) ** 2 * samples / squared_error)


def differences(reference: Image, image: Image) -> Iterator[NDArray[np.signedinteger[Any]]]:
    """``image - reference``, interleaved, in runs of at most `BLOCK` samples: int16 for 8 bits, int32 for 16 bits."""
    a, b = reference.reshape(-1), image.reshape(-1)
    signed = np.int16 if image.dtype == np.uint8 else np.int32
    for start in range(0, a.size, BLOCK):
        block = slice(start, start + BLOCK)
        yield np.subtract(b[block], a[block], dtype=signed)


def squared_sum(values: NDArray[np.signedinteger[Any]]) -> float:
    """Sum of squares in float64: exact in any order of addition below 2**53 (for 8 bits: 1.4e11 samples)."""
    wide = values.astype(np.float64)
    return float(np.dot(wide, wide))


def squared_error(reference: Image, image: Image) -> float:
    """The sum of squared differences, exactly. It is left to a compiled loop, which takes a third of the time, where
    compiled loops are at work already, as MS-SSIM has it; to start them for PSNR alone would take as long as 50
    pictures."""
    if "llvmlite" in sys.modules:
        return compiled_squared_error(reference, image)
    return sum(squared_sum(run) for run in differences(reference, image))


def compiled_squared_error(reference: Image, image: Image) -> float:
    """The same number by the compiled loop."""
    types = "uint8* uint8* uintp uint64*" if image.itemsize == 1 else "uint16* uint16* uintp uint64*"
    kernel = machine_code.load("psnr_kernels", "squared_error", types, image.itemsize)
    error = np.zeros(1, np.uint64)
    kernel(flat(reference), flat(image), image.size, error)
    return float(error[0])


@dataclass(frozen=True)
class PreparedPsnr(Prepared):
    """The reference itself: no part of PSNR depends on it alone."""

    reference: Image

    def score(self, image: Image) -> float:
        image = check_pair("psnr", self.reference, image)
        error = squared_error(self.reference, image)
        if error == 0:
            raise NotApplicable("pictures are identical: PSNR is unbounded")
        return decibels(error, image.size, peak(image))


class PsnrScorer(Scorer):
    """Needs no library beyond numpy."""

    def prepare(self, reference: Image) -> Prepared:
        return PreparedPsnr(check_reference("psnr", reference))


class Psnr(Metric):
    """Not applicable where the pictures are identical."""

    def open(self, device: str) -> Scorer:
        return PsnrScorer()


PSNR = Psnr(id="psnr", title="PSNR", version="1", unit="dB", better="higher", display=Display("PSNR (dB)", decimals=2),
            lowest=0.0)  # fmt: skip
