"""SSIM by scikit-image, with the settings of the paper that defined it.

Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
IEEE Transactions on Image Processing 13(4), 2004: an 11 x 11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03,
covariances divided by N, the mean over the positions where the window lies inside the picture. Each channel is scored
alone and the channels are averaged; no picture is scaled down first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import NotApplicable
from benchbox.image import peak
from benchbox_metrics.pair import check_pair, check_reference

WINDOW = 11
"""Side of the window in pixels: scikit-image cuts the Gaussian at 3.5 sigma, which is 5 pixels from its middle."""


@dataclass(frozen=True)
class PreparedSsim(Prepared):
    """The reference itself: scikit-image needs both pictures at once."""

    reference: Image
    similarity: Callable[..., float]

    def score(self, image: Image) -> float:
        image = check_pair("ssim", self.reference, image)
        return float(self.similarity(self.reference, image, data_range=peak(image), channel_axis=2,
                                     gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                     K1=0.01, K2=0.03))  # fmt: skip


@dataclass(frozen=True)
class SsimScorer(Scorer):
    """Holds scikit-image's function."""

    similarity: Callable[..., float]

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("ssim", reference)
        height, width, _ = reference.shape
        if min(height, width) < WINDOW:
            raise NotApplicable(f"{width}x{height} is smaller than SSIM's window of {WINDOW}x{WINDOW} pixels")
        return PreparedSsim(reference, self.similarity)


class Ssim(Metric):
    """Not applicable to pictures smaller than the window."""

    def open(self, device: str) -> Scorer:
        from skimage.metrics import structural_similarity

        return SsimScorer(structural_similarity)


SSIM = Ssim(id="ssim", title="SSIM", version="1", unit="", better="higher", display=Display("SSIM", decimals=4),
            lowest=-1.0, highest=1.0)  # fmt: skip
