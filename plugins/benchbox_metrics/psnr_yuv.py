"""PSNR-YUV: ``(6 PSNR_Y + PSNR_Cb + PSNR_Cr) / 8`` in dB, on the full-range YCbCr of JFIF at full resolution.

Source of the weights: Ohm, Sullivan, Schwarz, Tan, Wiegand, "Comparison of the coding efficiency of video coding
standards - including High Efficiency Video Coding (HEVC)", IEEE Transactions on Circuits and Systems for Video
Technology 22(12), 2012, equation 1. Source of the planes: Recommendation ITU-T T.871 (JFIF), clause 7, as for PSNR-Y:
``Y' = 0.299 R' + 0.587 G' + 0.114 B'``, ``Cb = (B' - Y') / 1.772``, ``Cr = (R' - Y') / 1.402``. Planes are neither
rounded nor subsampled; peak is 255 or 65535 for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox.image import peak
from benchbox_metrics.pair import check_pair, check_reference
from benchbox_metrics.psnr import decibels, differences, squared_sum

PLANES = (("Y'", (299, 587, 114), 1000), ("Cb", (-299, -587, 886), 1772), ("Cr", (701, -587, -114), 1402))
"""Name, weights of R', G', B' and their divisor: whole numbers, so that a plane without error gives exactly 0."""

WEIGHTS = (6, 1, 1)
"""Of the PSNRs of Y', Cb and Cr."""


def plane_psnrs(reference: Image, image: Image) -> list[float]:
    """PSNR of Y', Cb and Cr in dB of (H, W, 3) pictures; raises NotApplicable where a plane is identical."""
    height, width, _ = image.shape
    weights = [[np.int32(weight) for weight in plane[1]] for plane in PLANES]
    errors = np.zeros(len(PLANES))
    for run in differences(reference, image):
        # int32 from here on: at most 1.2e8
        errors += [squared_sum(red * run[0::3] + green * run[1::3] + blue * run[2::3]) for red, green, blue in weights]
    for (name, _, _), error in zip(PLANES, errors, strict=True):
        if error == 0:
            raise NotApplicable(f"{name} is identical: its PSNR is unbounded, and so is PSNR-YUV")
    return [decibels(float(error) / scale**2, height * width, peak(image))
            for (_, _, scale), error in zip(PLANES, errors, strict=True)]  # fmt: skip


@dataclass(frozen=True)
class PreparedPsnrYuv(Prepared):
    """The reference itself: the planes are linear, so those of the differences are computed."""

    reference: Image

    def score(self, image: Image) -> float:
        image = check_pair("psnr-yuv", self.reference, image)
        values = plane_psnrs(self.reference, image)
        return sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True)) / sum(WEIGHTS)


class PsnrYuvScorer(Scorer):
    """Needs no library beyond numpy."""

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("psnr-yuv", reference)
        if reference.shape[2] == 1:
            raise NotApplicable("gray has no chroma: its PSNR is unbounded, and so is PSNR-YUV; psnr-y scores gray")
        return PreparedPsnrYuv(reference)


class PsnrYuv(Metric):
    """Not applicable to gray, and where one of the three planes is identical."""

    def open(self, device: str) -> Scorer:
        return PsnrYuvScorer()


PSNR_YUV = PsnrYuv(id="psnr-yuv", title="PSNR-YUV", version="1", unit="dB", better="higher",
                   display=Display("PSNR-YUV 6:1:1 (dB)", decimals=2), lowest=0.0)  # fmt: skip
