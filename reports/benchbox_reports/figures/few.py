"""Which curves a column-wide figure shows: more than a few cannot be told apart, nor named at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchbox_reports.analysis import Section
from benchbox_reports.measure import best_of_families, rank

MOST = 8
"""Most curves of a column-wide figure, unless the reader names the codecs to show."""


def fewer(section: Section, families: Mapping[str, str], first: Sequence[str] = ()) -> tuple[Section, list[str]]:
    """`section` with at most `MOST` curves, and the labels that it leaves out.

    The anchor and `first` stay; then the best codec of each family, by BD-rate, and the best of the others.
    """
    names = [curve.label for curve in (*section.drawable, *(p.curve for p in section.published))]
    if len(names) <= MOST:
        return section, []
    always = [label for label in (*first, section.anchor) if label in names]
    ordered = best_of_families(rank(section), dict(families), [*always], len(names) + 1)
    kept = [label for label in dict.fromkeys([*ordered, *names]) if label in names][:MOST]
    shown = replace(
        section, curves=tuple(curve for curve in section.curves if curve.label in kept),
        published=tuple(p for p in section.published if p.curve.label in kept),
        comparisons=tuple(row for row in section.comparisons if row.label in kept))
    return shown, [name for name in names if name not in kept]
