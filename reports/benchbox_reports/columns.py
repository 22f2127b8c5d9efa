"""Columns of printed numbers: one precision for all of a column, and decimal points below each other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from benchbox.curves import decimals, significant

RULE = "Each column is rounded to two significant digits of the least uncertainty in it"
"""The rule of `precision`, for the sentence under a table."""
FIGURE_SPACE = "\u2007"
"""A blank as wide as a digit."""
_NUMBER = re.compile(r"[−+]?\d[\d,]*(?:\.\d+)?")


def precision(uncertainties: Iterable[float | None], default: int, most: int) -> int:
    """Decimals of a column of values with these uncertainties to either side: as many as the most certain value needs,
    0 .. `most`; `default` where none is known and positive."""
    known = [u for u in uncertainties if u is not None and math.isfinite(u) and u > 0]
    return decimals(min(known, default=None), default, most)


def of_least(values: Iterable[float], most: int) -> int:
    """Decimals of a column of positive values that show the least one to two significant digits, 0 .. `most`."""
    known = [v for v in values if math.isfinite(v) and v > 0]
    return min(most, significant(min(known), 2)) if known else 0


def aligned(cells: Sequence[str]) -> list[str]:
    """`cells` of a right-aligned column, of several numbers each (``"−3.2 [−4.0, −2.1]"``), filled with blanks as wide
    as digits, so that first numbers stand below first numbers, second below second. A cell without a number stays."""
    numbers = [_NUMBER.findall(cell) for cell in cells]
    widths = [max(map(len, column)) for column in _columns(numbers)]
    filled = [_filled(cell, widths) if found else cell for cell, found in zip(cells, numbers, strict=True)]
    tails = [len(cell) - _NUMBER.search(cell).end() if found else 0  # type: ignore[union-attr]
             for cell, found in zip(filled, numbers, strict=True)]
    return [cell + FIGURE_SPACE * (max(tails) - tail) if found else cell
            for cell, tail, found in zip(filled, tails, numbers, strict=True)]


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[list[str]]:
    for k in range(max(map(len, rows), default=0)):
        yield [row[k] for row in rows if len(row) > k]


def _filled(cell: str, widths: Sequence[int]) -> str:
    """`cell` with every number but the first filled on the left to its column's width."""
    left = iter(widths)

    def fill(found: re.Match[str]) -> str:
        wide = next(left)
        return found[0] if found.start() == first else found[0].rjust(wide, FIGURE_SPACE)

    first = _NUMBER.search(cell).start()  # type: ignore[union-attr]
    return _NUMBER.sub(fill, cell)
