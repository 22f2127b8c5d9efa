"""Compares a published row with the same point measured again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchbox.codec import Capabilities
from benchbox.metric import Metric

TOLERANCE = 1e-6
"""Scores that differ by less, relative to the larger of 1 and the value, agree: sums in another order, not others."""

_SHAPE = ("width", "height", "channels", "bit_depth")


@dataclass(frozen=True)
class Difference:
    """A difference in words; `declared`: whether the codec declares that machines differ by as much."""

    words: str
    declared: bool = False


def differences(
    row: Mapping[str, Any], fresh: Mapping[str, Any], taken: Capabilities, metrics: Sequence[Metric]
) -> list[Difference]:
    """All differences of a point measured again.

    Args:
        row: the published row; nulls are None.
        fresh: the event of the point, see `benchbox.work`.
        taken: of the codec: whether it declares equal bytes, and how far machines may differ.
        metrics: those that were scored again.
    """
    out = [Difference(f"{name} {fresh[name]} instead of {row[name]}") for name in _SHAPE if fresh[name] != row[name]]
    out += _bytes(row, fresh, taken)
    for metric in metrics:
        value, known = fresh["scores"][metric.id][1], row.get(metric.column)
        if (value is None) != (known is None):
            out.append(Difference(f"{metric.id} {value} instead of {known}"))
        elif value is not None and known is not None and abs(value - known) > TOLERANCE * max(1.0, abs(known)):
            declared = score_gap(metric, known, value) <= taken.score_tolerance
            out.append(Difference(f"{metric.id} {value:.6g} instead of {known:.6g}", declared))
    return out


def _bytes(row: Mapping[str, Any], fresh: Mapping[str, Any], taken: Capabilities) -> list[Difference]:
    """Differences of the stream; they count only for codecs that declare themselves deterministic."""
    known = row["bytes"]
    if not taken.deterministic:
        return []
    out = []
    if fresh["stream_sha256"] != row["stream_sha256"] or fresh["bytes"] != known:
        allowed = taken.size_tolerance * (known or 0)
        words = f"{fresh['bytes']} bytes instead of {known}"
        if fresh["bytes"] == known:
            words = "different bytes of the same length"
        out.append(Difference(words, allowed > 0 and abs(fresh["bytes"] - known) <= allowed))
    if not out and row["exact"] is not None and fresh["exact"] != row["exact"]:
        out.append(Difference(f"exact {fresh['exact']} instead of {row['exact']}"))
    return out


def score_gap(metric: Metric, one: float, other: float) -> float:
    """The difference of two scores in decibels: of a metric in dB their difference, of any other 10 log10 of the ratio
    of their distances from its best value; infinite where that is undefined."""
    if metric.unit == "dB":
        return abs(one - other)
    best = metric.highest if metric.better == "higher" else metric.lowest
    if best is None or not (one - best) * (other - best) > 0:
        return math.inf
    return abs(10 * math.log10((one - best) / (other - best)))
