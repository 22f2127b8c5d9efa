"""How many decimals a number deserves: as many as its uncertainty has in two significant digits.

One rule for every printed table: a value whose interval is 2.13 wide to either side is printed to one decimal (the
uncertainty is 2.1), one of 0.213 to two, one of 21.3 to none; never to the left of the decimal point. Where nothing is
known of the uncertainty (one picture, fewer than five) a stated default holds. CSV files keep full precision.
"""

from __future__ import annotations

import math

SIGNIFICANT = 2
"""Digits of the uncertainty that are printed."""

RULE = "Numbers are rounded to two significant digits of their uncertainty"
"""The rule in words, for the sentence under a table."""


def decimals(uncertainty: float | None, default: int, most: int) -> int:
    """Decimals for a value that is uncertain by `uncertainty` to either side: 0 .. `most`; `default` where it is None,
    NaN or zero."""
    if uncertainty is None or not math.isfinite(uncertainty) or uncertainty <= 0:
        return default
    return min(most, significant(uncertainty, SIGNIFICANT))


def significant(value: float, digits: int) -> int:
    """Decimals that show a finite `value` to `digits` significant digits, at least 0; 9.97 to two is 10, so none."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return max(0, digits - 1 - exponent)


def half_width(ends: tuple[float, float] | None) -> float | None:
    """Half the length of an interval, None for None."""
    return None if ends is None else (ends[1] - ends[0]) / 2
