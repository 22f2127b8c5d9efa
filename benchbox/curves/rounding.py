"""How many decimals of a number are printed: as many as show two significant digits of its uncertainty.

A value with an uncertainty of 2.13 to either side is printed to one decimal (2.1), one with 0.213 to two, one with
21.3 to none; digits left of the decimal point are never rounded. Where the uncertainty is unknown (one picture, or
fewer than five for an interval), a default applies. All of a column have the decimals of its most certain value.
CSV files have full precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

SIGNIFICANT = 2
"""Digits of the uncertainty that are printed."""
RATE_DECIMALS, RATE_MOST = 1, 2
"""Decimals of BD-rates in percent: without an interval, and at most."""


def rate_decimals(intervals: Iterable[tuple[float, float] | None]) -> int:
    """Decimals of BD-rates in percent, of all in a column alike, from their 95 % intervals; None or NaN for none."""
    known = [half for ends in intervals if (half := half_width(ends)) is not None and half > 0]
    return decimals(min(known, default=None), RATE_DECIMALS, RATE_MOST)


def decimals(uncertainty: float | None, default: int, most: int) -> int:
    """Decimals of a value with `uncertainty` to either side: 0 .. `most`; `default` where it is None, NaN or zero."""
    if uncertainty is None or not math.isfinite(uncertainty) or uncertainty <= 0:
        return default
    return min(most, significant(uncertainty, SIGNIFICANT))


def significant(value: float, digits: int) -> int:
    """Decimals that show a finite `value` to `digits` significant digits, at least 0 (none for 9.97 to two, 10)."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return max(0, digits - 1 - exponent)


def half_width(ends: tuple[float, float] | None) -> float | None:
    """Half the length of an interval; None for None."""
    return None if ends is None else (ends[1] - ends[0]) / 2
