"""Which BD-rate ranks codecs, on the page, in figures and in tables: one measure for all of a ranking, so that no axis
and no column ranks two quantities.

Against a measured anchor, measured codecs are ranked by the mean over pictures; published curves, which have no single
pictures, make a ranking of their own by mean curves. Against a published anchor all are compared by mean curves.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from benchbox_reports.analysis import Comparison, Section


@dataclass(frozen=True)
class Ranking:
    """The codecs of a section by one BD-rate, the best first.

    Attributes:
        by_pictures: True: the mean over pictures, with its interval; False: the value on mean curves.
        published: whether all of them are published curves, ranked apart from the measured codecs.
        rows: (percent, comparison) of each codec that has a value.
        missing: the codecs that have none, with the reason.
    """

    by_pictures: bool
    published: bool
    rows: tuple[tuple[float, Comparison], ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The measure in words: ``"mean over pictures"``."""
        return measure_name(self.by_pictures)


def measure_name(by_pictures: bool) -> str:
    """``"mean over pictures"`` or ``"mean curves"``."""
    return "mean over pictures" if by_pictures else "mean curves"


def by_pictures(section: Section, anchor: str | None = None) -> bool:
    """Whether measured codecs are ranked by the mean over pictures: the anchor, by default the section's, has single
    pictures."""
    name = section.anchor if anchor is None else anchor
    return section.pairs is not None and name in section.pairs.pictures.labels


def rankings(section: Section, anchor: str | None = None, only: Collection[str] | None = None) -> tuple[Ranking, ...]:
    """The codecs of `section`, or those labelled `only`, against `anchor`, by default the section's: the measured ones
    by the mean over pictures, then the published ones by mean curves; against a published anchor one ranking of all. A
    ranking without codecs is left out."""
    name = section.anchor if anchor is None else anchor
    if section.pairs is None or name is None:
        return ()
    rows = [row for row in (section.comparisons if anchor is None else section.pairs.against[anchor])
            if only is None or row.label in only]
    if not by_pictures(section, name):
        return _without_empty(_ranking(rows, False, False))
    return _without_empty(_ranking([row for row in rows if not row.published], True, False),
                          _ranking([row for row in rows if row.published], False, True))


def _without_empty(*found: Ranking) -> tuple[Ranking, ...]:
    return tuple(one for one in found if one.rows or one.missing)


def _ranking(rows: Collection[Comparison], over: bool, published: bool) -> Ranking:
    values = [(row.pictures.mean if over else row.rate.value, row) for row in rows]
    known = sorted(((value, row) for value, row in values if value is not None), key=lambda pair: pair[0])
    return Ranking(over, published, tuple(known), tuple(
        (row.label, (row.pictures.reason if over else row.rate.reason) or "no value")
        for value, row in values if value is None))
