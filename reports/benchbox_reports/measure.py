"""Which BD-rate a ranking shows: one measure for all its codecs, so that no axis and no column mixes two quantities."""

from __future__ import annotations

from collections.abc import Collection
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


def rank(
    section: Section, only: Collection[str] | None = None, by_pictures: bool | None = None
) -> Ranking:
    """The codecs of `section`, or those labelled `only`, against its anchor: by the mean over pictures where every one
    that has a BD-rate has that one, else all of them by mean curves, the only BD-rate of a curve published as means;
    `by_pictures` asks for one of the two."""
    rows = [row for row in section.comparisons if only is None or row.label in only]
    if by_pictures is None:
        by_pictures = all(row.pictures.mean is not None for row in rows if row.rate.value is not None) and any(
            row.pictures.mean is not None for row in rows)
    values = [(row.pictures.mean if by_pictures else row.rate.value, row) for row in rows]
    known = sorted(((value, row) for value, row in values if value is not None), key=lambda pair: pair[0])
    return Ranking(by_pictures, tuple(known), tuple((row.label, _why(row, by_pictures)) for value, row in values
                                                    if value is None))


def _why(row: Comparison, by_pictures: bool) -> str:
    return (row.pictures.reason if by_pictures else row.rate.reason) or "no value"
