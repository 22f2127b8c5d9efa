"""PSNR of luma: ``10 log10(peak**2 / MSE(Y'))`` in dB with ``Y' = 0.299 R' + 0.587 G' + 0.114 B'``, full range.

Source of the weights: Recommendation ITU-T T.871 (JFIF), clause 7, which takes them from ITU-R BT.601; the same luma
is coded by JPEG, by JPEG 2000's irreversible transform (ITU-T T.800, annex G), by WebP (in limited range) and by AVIF
as Pillow writes it. Y' is not rounded. A gray picture is its own luma, so there PSNR-Y equals PSNR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox.image import peak
from benchbox_metrics.pair import check_pair, check_reference
from benchbox_metrics.psnr import decibels, differences, squared_sum

_WEIGHTS = (299, 587, 114)
_SCALE = 1000  # sum of the weights, which are whole numbers so that a luma without error gives exactly 0


def luma_differences(reference: Image, image: Image) -> Iterator[NDArray[np.signedinteger[Any]]]:
    """``_SCALE * (Y' of image - Y' of reference)`` in runs of pixels, whole numbers in int32 (at most 6.6e7)."""
    red, green, blue = (np.int32(weight) for weight in _WEIGHTS)
    for run in differences(reference, image):
        yield red * run[0::3] + green * run[1::3] + blue * run[2::3]


@dataclass(frozen=True)
class PreparedPsnrY(Prepared):
    """The reference itself: luma is linear, so the luma of the differences is computed."""

    reference: Image

    def score(self, image: Image) -> float:
        image = check_pair("psnr-y", self.reference, image)
        height, width, channels = image.shape
        runs, scale = (differences, 1) if channels == 1 else (luma_differences, _SCALE)
        error = sum(squared_sum(run) for run in runs(self.reference, image)) / scale**2
        if error == 0:
            raise NotApplicable("luma is identical: PSNR-Y is unbounded")
        return decibels(error, height * width, peak(image))


class PsnrYScorer(Scorer):
    """Needs no library beyond numpy."""

    def prepare(self, reference: Image) -> Prepared:
        return PreparedPsnrY(check_reference("psnr-y", reference))


class PsnrY(Metric):
    """Not applicable where the luma of the two pictures is identical."""

    def open(self, device: str) -> Scorer:
        return PsnrYScorer()


PSNR_Y = PsnrY(id="psnr-y", title="PSNR-Y", version="1", unit="dB", better="higher",
               display=Display("PSNR-Y (dB)", decimals=2), lowest=0.0)  # fmt: skip
