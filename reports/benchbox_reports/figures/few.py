"""Which curves a column-wide figure shows: more than a few cannot be told apart, nor named at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchbox_reports.analysis import Section
from benchbox_reports.measure import rank

MOST = 8
"""Most curves of a column-wide figure, unless the author names the codecs to show."""
PUBLISHED = 2
"""Of these, published curves, as long as there are measured ones to show."""


def fewer(section: Section, families: Mapping[str, str], first: Sequence[str] = ()) -> tuple[Section, list[str]]:
    """`section` with at most `MOST` curves, and the labels that it leaves out.

    The anchor and `first` stay; then come, by BD-rate, the best codec of each family and the best two published curves;
    then the best of the rest.

    Args:
        section: the section.
        families: label -> family, of the measured codecs.
        first: labels that stay in any case.
    """
    names = [curve.label for curve in (*section.drawable, *(p.curve for p in section.published))]
    if len(names) <= MOST:
        return section, []
    ranked = [row.label for _, row in rank(section).rows if row.label in names]
    always = [label for label in dict.fromkeys((*first, section.anchor)) if label in names]
    best = _best([label for label in ranked if label not in always], families, {families.get(a, a) for a in always})
    kept = list(dict.fromkeys([*always, *sorted(best[: MOST - len(always)], key=ranked.index), *ranked, *names]))[:MOST]
    shown = replace(
        section, curves=tuple(curve for curve in section.curves if curve.label in kept),
        published=tuple(p for p in section.published if p.curve.label in kept),
        comparisons=tuple(row for row in section.comparisons if row.label in kept))
    return shown, [name for name in names if name not in kept]


def _best(ranked: Sequence[str], families: Mapping[str, str], seen: set[str]) -> list[str]:
    """The best of each family that is not in `seen`, and the best published curves, best first."""
    found, published = [], 0
    for label in ranked:
        family = families.get(label)
        if family is None:
            published += 1
            if published <= PUBLISHED:
                found.append(label)
        elif family not in seen:
            seen.add(family)
            found.append(label)
    return found
