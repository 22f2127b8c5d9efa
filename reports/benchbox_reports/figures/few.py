"""Which curves a column-wide figure shows: more than a few cannot be told apart, nor named at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchbox_reports.analysis import Section
from benchbox_reports.measure import rankings

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
    ranked = [row.label for ranking in rankings(section) for _, row in ranking.rows if row.label in names]
    always = [label for label in dict.fromkeys((*first, section.anchor)) if label in names]
    others = [label for label in ranked if label not in always]
    published = [label for label in others if label not in families][:PUBLISHED]
    best = _best(others, families, {families.get(a, a) for a in always})[: MOST - len(always) - len(published)]
    kept = list(dict.fromkeys([*always, *best, *published, *ranked, *names]))[:MOST]
    shown = replace(
        section, curves=tuple(curve for curve in section.curves if curve.label in kept),
        published=tuple(p for p in section.published if p.curve.label in kept),
        comparisons=tuple(row for row in section.comparisons if row.label in kept))
    return shown, [name for name in names if name not in kept]


def _best(ranked: Sequence[str], families: Mapping[str, str], seen: set[str]) -> list[str]:
    """The best measured codec of each family that is not in `seen`, best first."""
    found = []
    for label in ranked:
        if label in families and families[label] not in seen:
            seen.add(families[label])
            found.append(label)
    return found
