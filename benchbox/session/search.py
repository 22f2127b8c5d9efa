"""Searches, for each picture and codec, for the setting nearest a target such as ``bpp=0.5`` or ``ms-ssim=0.98``. A
search takes few encodings, each stored as an ordinary measurement.

The search halves the default sweep until the target is between two neighbours, then interpolates between them. It
relies on the axis being ordered by size, and on metrics rising with size (falling where lower is better). A try without
a value (the codec failed or declined, the metric does not apply) is left out, and the search goes on beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchbox.codec import QualityAxis
from benchbox.plan import Configuration, Entry, Resolved, Target

MOST_TRIES = 14
"""Most encodings of one search: four or five halve a sweep, the rest interpolate."""

MOST_EMPTY = 8
"""Tries without any value after which a search ends: the middle of the sweep, its ends, and between them."""

PAST_HOLE = (0.21, 0.45)
"""Where beyond a place of the sweep without a value a search looks, as parts of the way to the next place."""


@dataclass
class Search:
    """One search: a picture, a codec, a target, and the value at each quality tried (None: no value there)."""

    dataset: str
    sample: str
    digest: str
    configuration: Configuration
    target: Target
    tried: dict[float, float | None] = field(default_factory=dict)

    @property
    def _axis(self) -> QualityAxis:
        axis = self.configuration.axis
        assert axis is not None
        return axis

    def _sweep(self) -> list[float]:
        """The default sweep and the axis' ends, in order of rising size."""
        axis = self._axis
        falls = axis.values[0] > axis.values[-1]
        return sorted({axis.minimum, axis.maximum, *axis.values}, reverse=falls)

    def entry(self, quality: float) -> Entry:
        """The row of a try at `quality`."""
        return self.configuration.entry(self.dataset, self.sample, self.digest, quality)

    def propose(self) -> float | None:
        """The quality to try next; None when the search is over, see `ending`."""
        known = self._known
        if len(self.tried) >= MOST_TRIES or (not known and len(self.tried) >= MOST_EMPTY):
            return None
        if any(self.target.near(value) for value in known.values()):
            return None
        sweep = self._sweep()
        if not known and self.tried:
            return self._farthest(sweep)
        low, high = self._bracket()
        order = {quality: place for place, quality in enumerate(sorted([*sweep, *self.tried], key=self._size))}
        between = [q for q in sweep if q not in self.tried
                   and (low is None or order[q] > order[low]) and (high is None or order[q] < order[high])]  # fmt: skip
        if between:
            return between[len(between) // 2]
        if low is None or high is None:
            return self._toward_hole(low, high)
        return self._interpolate(low, high)

    def ending(self) -> tuple[str, float | None]:
        """Why a search that is over ended off its target, and the try without a value that this speaks of; "" where it
        came near."""
        best, axis = self.best(), self._axis
        if best is None:
            return f"none of {len(self.tried)} settings tried has a value", next(iter(self.tried), None)
        if self.target.near(self._known[best]):
            return "", None
        low, high = self._bracket()
        if low is None or high is None:
            hole, edge = self._hole_beyond(low, high), f"{axis.name} {low if low is not None else high:g}"
            if hole is not None:
                return f"the target lies beyond {edge}, and {axis.name} {hole:g} has no value", hole
            return f"the target lies beyond the axis, which ends at {edge}", None
        between = f"{axis.name} {low:g} and {high:g}"
        if axis.integer and abs(high - low) <= 1:
            return f"the target lies between {between}, and there is no setting between them", None
        inside = [q for q in self.holes if min(low, high) < q < max(low, high)]
        if inside:
            return f"the target lies between {between}, and {axis.name} {inside[-1]:g} has no value", inside[-1]
        return f"{len(self.tried)} tries, the last between {between}, came no nearer", None

    @property
    def holes(self) -> list[float]:
        """The qualities tried that have no value."""
        return [quality for quality, value in self.tried.items() if value is None]

    @property
    def _known(self) -> dict[float, float]:
        return {quality: value for quality, value in self.tried.items() if value is not None}

    def best(self) -> float | None:
        """The quality whose value is nearest the target; None if no quality tried has a value."""
        found = {q: abs(v - self.target.value) for q, v in self._known.items()}
        return min(found, key=lambda q: found[q]) if found else None

    def _size(self, quality: float) -> float:
        values = self._axis.values
        return -quality if values[0] > values[-1] else quality

    def _farthest(self, sweep: Sequence[float]) -> float | None:
        """The place of the sweep farthest from all that were tried."""
        places = [place for place, quality in enumerate(sweep) if quality in self.tried]
        left = [place for place, quality in enumerate(sweep) if quality not in self.tried]
        away = max(left, key=lambda place: min(abs(place - tried) for tried in places), default=None)
        return None if away is None else sweep[away]

    def _bracket(self) -> tuple[float | None, float | None]:
        """The tried qualities next below and next above the target, in order of size."""
        below = [q for q, v in self._known.items() if (v <= self.target.value) == self.target.rising]
        above = [q for q in self._known if q not in below]
        return max(below, key=self._size, default=None), min(above, key=self._size, default=None)

    def _hole_beyond(self, low: float | None, high: float | None) -> float | None:
        """The nearest try without a value on the open side of the bracket."""
        if low is not None:
            return min((q for q in self.holes if self._size(q) > self._size(low)), key=self._size, default=None)
        assert high is not None
        return max((q for q in self.holes if self._size(q) < self._size(high)), key=self._size, default=None)

    def _toward_hole(self, low: float | None, high: float | None) -> float | None:
        """Halfway from the outermost value to the next try without one; None if the target lies beyond the axis."""
        edge, hole = low if low is not None else high, self._hole_beyond(low, high)
        if edge is None or hole is None:
            return None
        past = self._past_hole(hole, edge)
        if past is not None:
            return past
        middle = (edge + hole) / 2
        quality = float(math.floor(middle)) if self._axis.integer else round(middle, 6)
        if quality in self.tried and self._axis.integer:
            quality = float(math.ceil(middle))
        return None if quality in self.tried else quality

    def _past_hole(self, hole: float, edge: float) -> float | None:
        """A try some way from a `hole` of the sweep to the next place of it, away from `edge`, since the hole may stand
        alone; None if there is no such place, or that was looked at."""
        sweep = self._sweep()
        beyond = [q for q in sweep if (q - hole) * (hole - edge) > 0]
        if hole not in sweep or not beyond:
            return None
        next_place = min(beyond, key=lambda q: abs(q - hole))
        tried = sum((q - hole) * (next_place - q) > 0 for q in self.tried)
        if tried >= len(PAST_HOLE):
            return None
        quality = hole + PAST_HOLE[tried] * (next_place - hole)
        quality = float(round(quality)) if self._axis.integer else round(quality, 6)
        return None if quality in self.tried else quality

    def _interpolate(self, low: float, high: float) -> float | None:
        start, end = self._known[low], self._known[high]
        share = (self.target.value - start) / (end - start) if end != start else 0.5
        quality = low + min(0.9, max(0.1, share)) * (high - low)  # not too near an end, whose value is known
        if self._axis.integer:
            quality = float(round(quality))
            if quality in self.tried:
                inside = [q for q in range(math.ceil(min(low, high)) + 1, math.ceil(max(low, high)))
                          if q not in self.tried]  # fmt: skip
                return float(inside[len(inside) // 2]) if inside else None
            return quality
        quality = round(self._beside_holes(quality, low, high), 6)
        return None if quality in self.tried else quality

    def _beside_holes(self, quality: float, low: float, high: float) -> float:
        """`quality`, or where tries between `low` and `high` had no value the middle of the gap among them in which it
        lies or that is next to it: at the hole itself the same try would come again."""
        first, last = sorted((low, high))
        places = sorted([first, last, *(q for q in self.holes if first < q < last)])
        if len(places) == 2:
            return quality
        gap = min(pairwise(places), key=lambda ends: (abs(sum(ends) / 2 - quality), ends[0] - ends[1]))
        return sum(gap) / 2


def searches(resolved: Resolved, digests: Mapping[tuple[str, str], str], targets: Sequence[Target]) -> list[Search]:
    """One search for each readable picture, lossy codec and target."""
    return [
        Search(dataset.id, sample.id, digests[dataset.id, sample.id], configuration, target)
        for dataset in resolved.datasets
        for sample in dataset.samples
        if (dataset.id, sample.id) in digests
        for configuration in resolved.configurations
        if configuration.axis is not None
        for target in targets
    ]
