"""The interface of a metric: it prepares a reference picture once, then scores each decoded picture against it.

A metric receives gray (C = 1) or RGB (C = 3) pictures, uint8 or uint16, both of the same shape and dtype. It never
receives alpha: the core composites such pictures over black and over white, scores both, and keeps the worse score.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import NoneType
from typing import Literal

from benchbox.image import Image
from benchbox.stated import Stated, stated


@dataclass(frozen=True)
class Display:
    """The display of a metric in plots and tables.

    Args:
        label: axis label with unit, e.g. ``"MS-SSIM (dB)"``.
        decimals: digits after the point in tables (of the transformed value).
        transform: ``"db"`` draws -10 log10(1 - value), the literature's scale for MS-SSIM; ``None`` draws the value.
    """

    label: str
    decimals: int = 3
    transform: Literal["db"] | None = None


class Prepared(ABC):
    """A reference picture with everything that can be computed before the decoded picture is known."""

    @abstractmethod
    def score(self, image: Image) -> float:
        """Score a decoded picture of the reference's shape and dtype; returns a finite float.

        Raises:
            NotApplicable: the metric has no value here (picture too small, pictures identical); the reason is stored.
        """


class Scorer(ABC):
    """An opened metric; lives in one worker."""

    @abstractmethod
    def prepare(self, reference: Image) -> Prepared:
        """Prepare a reference picture, (H, W, 1) or (H, W, 3), uint8 or uint16.

        Raises:
            NotApplicable: no decoded picture of this size can have a value.
        """


@dataclass(frozen=True)
class Metric(Stated, ABC):
    """Describes a metric without opening it. Plugins subclass it and return instances from their hook. Each attribute
    is an argument, or is written on the subclass.

    Attributes:
        id: lower-case, e.g. ``"ms-ssim"``; its column in results is the id with ``_`` for ``-``.
        title: for tables, e.g. ``"MS-SSIM"``.
        version: change it whenever values may change; scores of another version are computed again.
        unit: ``"dB"`` or ``""``.
        better: whether higher or lower values are better.
        display: how it is drawn.
        lowest, highest: the range of values; None where unbounded.
    """

    id: str = stated(str)
    title: str = stated(str)
    version: str = stated(str)
    unit: str = stated(str)
    better: Literal["higher", "lower"] = stated(str)
    display: Display = stated(Display)
    lowest: float | None = stated(float, int, NoneType, default=None)
    highest: float | None = stated(float, int, NoneType, default=None)

    @abstractmethod
    def open(self, device: str) -> Scorer:
        """Open the metric on ``"cpu"`` or a CUDA device; heavy imports belong here."""

    def unavailable(self) -> str | None:
        """None if the metric can be opened here; else the reason, with the command that installs what is missing."""
        return None

    @property
    def column(self) -> str:
        """Name of the metric's column in results."""
        return self.id.replace("-", "_")
