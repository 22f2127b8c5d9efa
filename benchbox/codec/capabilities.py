"""The pictures and qualities that a codec accepts, and what it promises of its streams."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchbox.errors import QualityError
from benchbox.image import Image


@dataclass(frozen=True)
class QualityAxis:
    """The one setting that a sweep varies.

    Args:
        name: the library's own name for it, e.g. ``"quality"`` or ``"distance"``.
        values: the default sweep, ordered so that the size of the stream rises strictly.
        minimum: the least value that the library accepts; a plan may name any quality from here to `maximum`.
        maximum: the greatest.
        unit: the unit of the values, e.g. ``"dB"``; ``""`` for a plain number.
        integer: whether the library accepts whole numbers only.
    """

    name: str
    values: tuple[float, ...]
    minimum: float
    maximum: float
    unit: str = ""
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"quality axis '{self.name}' must have values")
        for number in (self.minimum, self.maximum, *self.values):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"quality axis '{self.name}': its values must be numbers, got {number!r}")
        if not all(self.minimum <= v <= self.maximum for v in self.values):
            raise ValueError(f"quality axis '{self.name}': its values must lie in [{self.minimum}, {self.maximum}]")

    def check(self, quality: float, codec: str) -> float:
        """`quality` as a float if it lies on the axis; else QualityError, which names `codec` and the bounds."""
        if not math.isfinite(quality) or not self.minimum <= quality <= self.maximum:
            raise QualityError(f"{codec}: {self.name} {quality:.15g} is out of range; "
                               f"take {self.minimum:g} to {self.maximum:g}")
        if self.integer and quality != int(quality):
            raise QualityError(f"{codec}: {self.name} {quality:.15g} is not a whole number")
        return float(quality)


@dataclass(frozen=True)
class Capabilities:
    """The pictures that a codec accepts, and its promises.

    Args:
        channels: the channel counts that it accepts: any of 1 (gray), 3 (RGB), 4 (RGBA).
        bit_depths: the bits per sample that it accepts: 8, 16 or both.
        lossless: every decoded pixel equals its source; checked at every operating point.
        deterministic: the same picture, options and library give the same bytes on every machine of one kind.
        pixel_tolerance: the greatest difference, in levels, between decodings of one stream on different devices, with
            different thread counts or batch sizes. 0 for codecs that compute in integers.
        min_size: the least length of a side in pixels.
        max_size: the greatest.
        devices: the device classes that `CodecInfo.open` accepts: "cpu", "cuda" or both.
        size_tolerance: the share by which the length of a stream may differ between machines of different kinds; 0 for
            encoders that compute in integers.
        score_tolerance: the decibels by which a score may differ between such machines: of PSNR itself, of any other
            metric as 10 log10 of the ratio of its distances from its best value.
    """

    channels: frozenset[int] = frozenset({1, 3})
    bit_depths: frozenset[int] = frozenset({8})
    lossless: bool = False
    deterministic: bool = True
    pixel_tolerance: int = 0
    min_size: int = 1
    max_size: int = 65535
    devices: tuple[str, ...] = ("cpu",)
    size_tolerance: float = 0.0
    score_tolerance: float = 0.0

    def refusal(self, image: Image) -> str | None:
        """The reason why the codec refuses a picture of this shape and dtype, or None if it accepts it."""
        height, width, channels = image.shape
        bits = image.dtype.itemsize * 8
        if channels not in self.channels:
            kind = {1: "gray", 3: "RGB", 4: "RGBA"}[channels]
            return f"{kind} pictures are not supported"
        if bits not in self.bit_depths:
            return f"{bits}-bit pictures are not supported"
        if min(height, width) < self.min_size:
            return f"{width}x{height} is smaller than {self.min_size} pixels a side"
        if max(height, width) > self.max_size:
            return f"{width}x{height} is larger than {self.max_size} pixels a side"
        return None
