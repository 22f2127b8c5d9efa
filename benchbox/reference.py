"""A published rate-distortion curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A published rate-distortion curve, drawn with the measured ones and never part of an average.

    Attributes:
        id: e.g. ``"vtm"``; what ``--literature`` names.
        title: for legends.
        dataset: id of the data set it was measured on; a run on another data set does not show it.
        convention: how the points were made ("mean of bpp and of PSNR over 24 images, RGB ...").
        source: citation, or repository and commit.
        bpp: P rates in bits per pixel, rising.
        metrics: metric id -> P values at these rates, as scored (MS-SSIM raw, PSNR in dB); None where not published.
        caution: what a reader must know, or "".
    """

    id: str
    title: str
    dataset: str
    convention: str
    source: str
    bpp: tuple[float, ...]
    metrics: Mapping[str, tuple[float | None, ...]]
    caution: str = ""
