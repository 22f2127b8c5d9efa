"""Which BD-rate ranks codecs, on the page, in figures and in tables: one measure for all of a ranking, so that no axis
and no column ranks two quantities.

Against a measured anchor, measured codecs are ranked by the mean over pictures; published curves, which have no single
pictures, make a ranking of their own by mean curves. Against a published anchor all are compared by mean curves.
Means over other pictures are not ranked against each other: those over most pictures come first, the others apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from benchbox import curves
from benchbox_reports.analysis import Comparison, Section
from benchbox_reports.wording import number


@dataclass(frozen=True)
class Ranking:
    """The codecs of a section by one BD-rate, the best first.

    Attributes:
        by_pictures: True: the mean over pictures, with its interval; False: the value on mean curves.
        published: whether all of them are published curves, ranked apart from the measured codecs.
        rows: (percent, comparison) of each codec that has a value; those that are `apart` last.
        missing: the codecs that have none, with the reason.
        pictures: pictures of the section.
        counts: label -> pictures that its value is a mean over, or its mean curve.
        decimals: decimals that its values are printed with, see `rate_decimals`.
        apart: labels whose values are means over other pictures than those of the first rows, which have most pictures.
    """

    by_pictures: bool
    published: bool
    rows: tuple[tuple[float, Comparison], ...]
    missing: tuple[tuple[str, str], ...]
    pictures: int
    counts: Mapping[str, int]
    decimals: int
    apart: frozenset[str]

    @property
    def name(self) -> str:
        """The measure in words: ``"mean over pictures"``."""
        return measure_name(self.by_pictures)

    def few(self, label: str) -> str:
        """``"2 of 6 pictures"``; "" where the value is over all pictures."""
        return few_pictures(self.counts[label], self.pictures)

    @property
    def alike(self) -> tuple[tuple[float, Comparison], ...]:
        """The rows that are ranked: those not `apart`."""
        return tuple(pair for pair in self.rows if pair[1].label not in self.apart)

    @property
    def unranked(self) -> tuple[str, ...]:
        """Each row that is `apart` in words: ``"webp (−79.6 %, 2 of 6 pictures)"``."""
        return tuple(f"{row.label} ({number(value, self.decimals, signed=True)} %, {self.few(row.label)})"
                     for value, row in self.rows if row.label in self.apart)


def rate_decimals(rows: Iterable[Comparison]) -> int:
    """Decimals of the BD-rates of a section against one anchor, wherever they are printed: `rows` are all comparisons
    with it, and their intervals set the decimals."""
    return curves.rate_decimals(row.pictures.interval for row in rows)


def measure_name(by_pictures: bool) -> str:
    """``"mean over pictures"`` or ``"mean curves"``."""
    return "mean over pictures" if by_pictures else "mean curves"


def few_pictures(count: int, of: int) -> str:
    """``"2 of 6 pictures"``; "" where a value is over all pictures."""
    return "" if count == of else f"{count} of {of} picture{'s' * (of != 1)}"


def by_pictures(section: Section, anchor: str | None = None) -> bool:
    """Whether measured codecs are ranked by the mean over pictures: the anchor, by default the section's, has single
    pictures."""
    name = section.anchor if anchor is None else anchor
    return section.pairs is not None and name in section.pairs.pictures.labels


def rankings(section: Section, anchor: str | None = None) -> tuple[Ranking, ...]:
    """The codecs of `section` against `anchor`, by default the section's: the measured ones by the mean over pictures,
    then the published ones by mean curves; against a published anchor one ranking of all. A ranking without codecs is
    left out."""
    name = section.anchor if anchor is None else anchor
    if section.pairs is None or name is None:
        return ()
    rows = section.comparisons if anchor is None else section.pairs.against[anchor]
    if not by_pictures(section, name):
        return _without_empty(_ranking(section, rows, rows, (False, False)))
    return _without_empty(_ranking(section, [row for row in rows if not row.published], rows, (True, False)),
                          _ranking(section, [row for row in rows if row.published], rows, (False, True)))


def _without_empty(*found: Ranking) -> tuple[Ranking, ...]:
    return tuple(one for one in found if one.rows or one.missing)


def _ranking(
    section: Section, rows: Collection[Comparison], column: Collection[Comparison], which: tuple[bool, bool]
) -> Ranking:
    """`rows` of `column`, all comparisons with the anchor; `which`: whether by pictures, and whether published."""
    over, published = which
    values = [(row.pictures.mean if over else row.rate.value, row) for row in rows]
    known = [(value, row) for value, row in values if value is not None]
    apart = _apart([row for _, row in known]) if over else frozenset()
    known.sort(key=lambda pair: (pair[1].label in apart, pair[0]))
    missing = tuple((row.label, (row.pictures.reason if over else row.rate.reason) or "no value")
                    for value, row in values if value is None)
    counts = {row.label: row.pictures.n if over else section.n_used for _, row in known}
    return Ranking(over, published, tuple(known), missing, section.n_pictures, counts,
                   rate_decimals(column), apart)


def _apart(rows: Collection[Comparison]) -> frozenset[str]:
    """The labels whose pictures are not those of most codecs among the codecs that have most pictures."""
    most = max((row.pictures.n for row in rows), default=0)
    without = {row.label: frozenset(row.pictures.left_out) for row in rows}
    shared = Counter(without[row.label] for row in rows if row.pictures.n == most).most_common(1)
    return frozenset(label for label, gone in without.items() if gone != shared[0][0])
