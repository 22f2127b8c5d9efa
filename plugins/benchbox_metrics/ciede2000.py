"""CIEDE2000: the mean colour difference over all pixels, by scikit-image.

Source: CIE 142-2001, as Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary
test data, and mathematical observations", Color Research and Application 30(1), 2005, write it out, with kL = kC =
kH = 1. Samples are read as sRGB (IEC 61966-2-1) and converted to CIELAB for the white point D65 and the 2 degree
observer. Pixels are compared one by one: no filter models the acuity of the eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.image import peak
from benchbox_metrics.pair import check_pair, check_reference

Lab: TypeAlias = NDArray[np.float64]

BLOCK = 1 << 14
"""Pixels processed at once, so that the thirty or so temporary arrays of the formula stay in the cache."""


@dataclass(frozen=True)
class Ciede2000Scorer(Scorer):
    """Holds scikit-image's two functions.

    Args:
        to_lab: (N, 3) sRGB on 0 .. 1 -> (N, 3) CIELAB.
        difference: two arrays (N, 3) CIELAB -> (N,) CIEDE2000.
    """

    to_lab: Callable[[Any], Any]
    difference: Callable[[Any, Any], Any]

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("ciede2000", reference)
        like = np.broadcast_to(np.zeros((), reference.dtype), reference.shape)  # shape and dtype, no pixels
        return PreparedCiede2000(self, like, self.lab(reference))

    def lab(self, pixels: Image) -> Lab:
        """(H * W, 3) CIELAB of gray or RGB pixels, computed block by block."""
        flat = pixels.reshape(-1, pixels.shape[2])
        lab = np.empty((len(flat), 3))
        for start in range(0, len(flat), BLOCK):
            part = slice(start, start + BLOCK)
            lab[part] = self.to_lab(np.broadcast_to(flat[part] / peak(pixels), (len(lab[part]), 3)))
        return lab


@dataclass(frozen=True)
class PreparedCiede2000(Prepared):
    """The reference in CIELAB: 24 bytes a pixel."""

    scorer: Ciede2000Scorer
    like: Image
    lab: Lab

    def score(self, image: Image) -> float:
        image = check_pair("ciede2000", self.like, image)
        other = self.scorer.lab(image)
        total = sum(float(self.scorer.difference(self.lab[i:i + BLOCK], other[i:i + BLOCK]).sum())
                    for i in range(0, len(other), BLOCK))  # fmt: skip
        return total / len(other)


class Ciede2000(Metric):
    """0 where the pictures are identical; about 1 is the smallest difference that is seen side by side."""

    def open(self, device: str) -> Scorer:
        from skimage.color import deltaE_ciede2000, rgb2lab

        return Ciede2000Scorer(rgb2lab, deltaE_ciede2000)


CIEDE2000 = Ciede2000(id="ciede2000", title="CIEDE2000", version="1", unit="", better="lower",
                      display=Display("mean CIEDE2000 (ΔE00)", decimals=3), lowest=0.0)  # fmt: skip
