"""How many decimals a printed number has."""

from __future__ import annotations

import pytest

from benchbox.curves import decimals, rate_decimals, significant
from benchbox.curves.rounding import half_width


@pytest.mark.parametrize(("uncertainty", "expected"), [
    (21.3, 0), (2.13, 1), (0.213, 2), (0.0213, 3), (9.96, 0), (9.94, 1), (213.0, 0), (1e-9, 4),
    (None, 1), (0.0, 1), (float("nan"), 1),
])  # fmt: skip
def test_decimals(uncertainty: float | None, expected: int) -> None:
    assert decimals(uncertainty, 1, 4) == expected


def test_the_narrowest_interval_sets_the_decimals_of_bd_rates() -> None:
    assert rate_decimals([(-20.0, 20.0), None, (-3.0, -1.4)]) == 2
    assert rate_decimals([(-20.0, 20.0), (float("nan"), float("nan"))]) == 0
    assert rate_decimals([None, (1.0, 1.0)]) == 1
    assert rate_decimals([(-1.0, -0.999)]) == 2


def test_significant_digits() -> None:
    assert [significant(v, 3) for v in (1234.5, 123.4, 12.34, 1.234, 0.1234, 0.9999, 0.0, -12.34)] == [
        0, 0, 1, 2, 3, 2, 2, 1]  # fmt: skip
    assert half_width((-3.0, 1.0)) == 2
    assert half_width(None) is None
