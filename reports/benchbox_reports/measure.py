"""Which BD-rate a ranking shows: one measure for all its codecs, so that no two quantities share an axis or a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchbox_reports.analysis import Comparison, Section


@dataclass(frozen=True)
class Ranking:
    """The codecs of a section by one BD-rate, the best first.

    Attributes:
        by_pictures: True: the mean over pictures, with its interval; False: the value on mean curves.
        rows: (percent, comparison) of each codec that has a value.
        missing: the codecs that have none, with the reason.
    """

    by_pictures: bool
    rows: tuple[tuple[float, Comparison], ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The measure in words: ``"mean over pictures"``."""
        return "mean over pictures" if self.by_pictures else "mean curves"


def rank(section: Section, only: Collection[str] | None = None) -> Ranking:
    """The codecs of `section`, or those labelled `only`, against its anchor: by the mean over pictures where every codec that has a BD-rate has
    that one, else all of them by mean curves, the only BD-rate of a curve that was published as means."""
    rows = [row for row in section.comparisons if only is None or row.label in only]
    by_pictures = all(row.pictures.mean is not None for row in rows if row.rate.value is not None) and any(
        row.pictures.mean is not None for row in rows)
    values = [(row.pictures.mean if by_pictures else row.rate.value, row) for row in rows]
    known = sorted(((value, row) for value, row in values if value is not None), key=lambda pair: pair[0])
    return Ranking(by_pictures, tuple(known), tuple((row.label, _why(row, by_pictures)) for value, row in values
                                                    if value is None))


def _why(row: Comparison, by_pictures: bool) -> str:
    return (row.pictures.reason if by_pictures else row.rate.reason) or "no value"


def best_of_families(ranking: Ranking, families: dict[str, str], first: Sequence[str], most: int) -> list[str]:
    """At most `most` labels: `first`, then the best codec of each family, then the best of the others.

    Args:
        ranking: the codecs by BD-rate.
        families: label -> family; a label that is absent is a family of its own.
        first: labels that are always taken, e.g. the anchor.
        most: how many.
    """
    ranked = [row.label for _, row in ranking.rows]
    taken = list(dict.fromkeys(first))
    seen = {families.get(label, label) for label in taken}
    best = []
    for label in ranked:
        family = families.get(label, label)
        if family not in seen:
            seen.add(family)
            best.append(label)
    others = [label for label in [*ranked, *(label for label, _ in ranking.missing)] if label not in best]
    return list(dict.fromkeys([*taken, *best, *others]))[:most]
