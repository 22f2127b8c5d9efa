"""The interface of a metric: it prepares a reference picture once, then scores each decoded picture against it.

A metric receives gray (C = 1) or RGB (C = 3) pictures, uint8 or uint16, both of the same shape and dtype. It never
receives alpha: the core composites such pictures over black and over white, scores both, and keeps the worse score.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal

from benchbox.image import Image
from benchbox.stated import Stated, stated

RESULT_COLUMNS = frozenset({
    "batch", "bit_depth", "bpp", "bytes", "channels", "codec", "dataset", "decode_cpu_s", "decode_s",
    "decode_spread_s", "device", "encode_cpu_s", "encode_s", "encode_spread_s", "exact", "height", "host", "identity",
    "key", "label", "null_reasons", "options", "peak_bytes", "pixels_sha256", "quality", "reason", "run", "sample",
    "sample_sha256", "source_sha256", "status", "stream_sha256", "target", "missed", "threads", "timing", "width",
})  # fmt: skip
"""Columns that every result has, whatever its metrics: none of these may have a metric's name."""


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


def unfit(metric: Metric) -> str | None:
    """What `metric` states of itself that would put wrong numbers into results or break a report, with the remedy; None
    where there is nothing."""
    for name in ("title", "version", "unit"):
        if not isinstance(getattr(metric, name), str):
            return f"{name} must be text, not {getattr(metric, name)!r}"
    if metric.column in RESULT_COLUMNS:
        return f"'{metric.column}' is a column of every result; give the metric another id"
    if metric.better not in ("higher", "lower"):
        return f"better must be 'higher' or 'lower', not {metric.better!r}"
    lowest = -math.inf if metric.lowest is None else metric.lowest
    highest = math.inf if metric.highest is None else metric.highest
    if not lowest < highest:
        return f"lowest must be below highest, not {metric.lowest!r} with {metric.highest!r}"
    look: Any = metric.display
    if not isinstance(look, Display):
        return f"display must be a Display, not a {type(look).__name__}"
    if not isinstance(look.label, str) or look.transform not in (None, "db"):
        return f"display must have a text as label, and None or 'db' as transform, not {look!r}"
    if isinstance(look.decimals, bool) or not isinstance(look.decimals, int) or not 0 <= look.decimals <= 17:
        return f"display.decimals must be a whole number from 0 to 17, not {look.decimals!r}"
    return None
