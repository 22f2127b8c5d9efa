"""The top of the page: what the run is about, its result in three sentences, and one table over all metrics."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from benchbox_reports.analysis import Analysis, Comparison, Section
from benchbox_reports.matched import is_matched
from benchbox_reports.measure import by_pictures, few_pictures, rankings, rate_decimals
from benchbox_reports.pareto import HOW_TO_TIME, REFUSED, DrawnSpeeds
from benchbox_reports.wording import given_as_means, number

Rows: TypeAlias = list[tuple[str, list[tuple[str, bool]]]]
"""A label and, for each column, the text and whether it is the column's best."""
NAMED = 3
"""Codecs that a sentence names."""
MATCHED = ("The settings were searched picture by picture for each target, so there are hardly mean curves, and no "
           "BD-rates: the result is what each codec reached at each target.")  # fmt: skip
APART = "not measured here: by mean curves, so ranked among themselves"
"""Ends the heading of the rows of the summary that are by another measure than the first ones."""


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        head: its head.
        values: label -> value.
        decimals: decimals that are printed.
        rate: whether it is a BD-rate, of which lower is better; else a speed.
        few: label -> ``"2 of 6 pictures"``, "" where a value is over all pictures.
        apart: labels that are not ranked, since their values are over other pictures.
    """

    head: str
    values: Mapping[str, float]
    decimals: int
    rate: bool
    few: Mapping[str, str] = field(default_factory=dict)
    apart: Collection[str] = ()


def description(plan: str) -> str:
    """The description in a plan's text, "" where it has none."""
    try:
        return str(tomllib.loads(plan).get("description", "")).strip()
    except tomllib.TOMLDecodeError:
        return ""


def sentences(analysis: Analysis, anchor: str, speeds: Mapping[str, DrawnSpeeds]) -> list[str]:
    """Three sentences, at most: which codecs need the fewest bits by the first metric, the best by each other metric,
    and the fastest ones or why there is no speed. They speak of the first data set where `anchor` has a curve."""
    sections = [s for s in analysis.sections if s.pairs is not None and anchor in s.pairs.labels]
    sections = [s for s in sections if s.dataset == sections[0].dataset]
    ranked = [(section, rows) for section in sections if (rows := _ranked(section, anchor))]
    if not ranked and is_matched(analysis.results.frame):
        return [MATCHED]
    if sections and all(len(s.pairs.labels) == 1 for s in sections if s.pairs is not None):
        return [f"{anchor} is the only codec with a curve: there is nothing to compare.",
                _speed(speeds.get(sections[0].dataset))]
    if not ranked:
        return []
    section, rows = ranked[0]
    first = _first(section, anchor, rows) + _not_ranked(section, anchor)
    others = [f"{_named(_leaders(section, rows), _decimals(section, anchor))} by {section.metric.title}"
              f"{_if_few(section, anchor, rows[0][1])}"
              for section, rows in ranked[1:]]
    second = [f"The fewest bits by other metrics: {'; '.join(others)}."] if others else []
    return [first, *second, _speed(speeds.get(section.dataset))]


def without_curves(analysis: Analysis) -> list[str]:
    """What the run shows where no codec is lossy: which of the lossless ones needs the fewest bits, if they have gone
    through on all pictures of the first data set."""
    if analysis.anchor is not None or not analysis.lossless:
        return []
    dataset = analysis.lossless[0].dataset
    whole = [(item.bpp, item.label) for item in analysis.lossless
             if item.dataset == dataset and item.bpp is not None and not item.n_missing]
    said = "None of the codecs is lossy, so there are no curves and no BD-rates."
    if not whole:
        return [said]
    bpp, label = min(whole)
    verb = "needs the fewest bits:" if len(whole) > 1 else "needs"
    count = analysis.lossless[0].n + analysis.lossless[0].n_missing
    return [said, f"{label} {verb} {number(bpp, 3)} bpp, mean over {count} picture{'' if count == 1 else 's'} of "
                  f"{dataset}."]


def summary(analysis: Analysis, speeds: Mapping[str, DrawnSpeeds]) -> tuple[list[str], list[tuple[str, Rows]]]:
    """(heads, groups) of the table over all metrics against the run's anchor: a group is a heading and the rows that
    are by one measure, sorted by the first column; first the measured codecs, without a heading. None of a matched run
    without BD-rates, of which `MATCHED` tells."""
    columns = list(_columns(analysis, speeds))
    alone = all(set(column.values) <= {analysis.anchor} for column in columns)
    if analysis.anchor is None or (alone and (not columns or is_matched(analysis.results.frame))):
        return [], []
    labels = dict.fromkeys(label for column in columns for label in column.values)
    apart = [] if analysis.anchor in analysis.published else [name for name in labels if name in analysis.published]
    winners = [_winner(column, [label for label in labels if label not in apart], analysis.anchor)
               for column in columns]
    groups = (("", [label for label in labels if label not in apart]), (apart_heading(apart), apart))
    return [column.head for column in columns], [
        (title, [(label, _cells(label, columns, analysis.anchor, winners))
                 for label in sorted(names, key=lambda label: (label in columns[0].apart,
                                                               columns[0].values.get(label, math.inf)))])
        for title, names in groups if names]


def apart_heading(names: Collection[str]) -> str:
    """The heading of the rows of curves that are given as means: ``"Published curves, not measured here: ..."``."""
    return f"{given_as_means(names)}, {APART}"


def _winner(column: Column, labels: Sequence[str], anchor: str) -> str:
    """The best of `labels` by a column; "" where nothing is to be compared."""
    values, rate = column.values, column.rate
    rivals = {label: values[label] for label in labels
              if label in values and not (rate and label == anchor) and label not in column.apart}
    return (min if rate else max)(rivals, key=lambda label: rivals[label], default="") if len(values) > 1 else ""


def _cells(label: str, columns: Sequence[Column], anchor: str, winners: Sequence[str]) -> list[tuple[str, bool]]:
    return [(_cell(label, column, anchor), label == winner) for column, winner in zip(columns, winners, strict=True)]


def _cell(label: str, column: Column, anchor: str) -> str:
    if column.rate and label == anchor:
        return "anchor"
    text = number(column.values.get(label), column.decimals, signed=column.rate)
    return f"{text} ({column.few[label]})" if column.few.get(label) else text


def _ranked(section: Section, anchor: str) -> list[tuple[float, Comparison]]:
    """(BD-rate, comparison) of the measured codecs against `anchor`, the fewest bits first, without those that are over
    other pictures."""
    assert section.pairs is not None
    measured = section.pairs.pictures.labels
    return [pair for ranking in rankings(section, anchor) for pair in ranking.alike if pair[1].label in measured]


def _not_ranked(section: Section, anchor: str) -> str:
    """The codecs that the first sentence does not compare, since their means are over other pictures."""
    names = [name for ranking in rankings(section, anchor) for name in ranking.unranked]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f" Not ranked, as over other pictures: {', '.join(names[:NAMED])}{more}." if names else ""


def _if_few(section: Section, anchor: str, row: Comparison) -> str:
    """``" over 2 of 6 pictures"``; "" where a row's value is over all pictures."""
    count = row.pictures.n if by_pictures(section, anchor) else section.n_used
    few = few_pictures(count, section.n_pictures)
    return f" over {few}" if few else ""


def _first(section: Section, anchor: str, rows: Sequence[tuple[float, Comparison]]) -> str:
    rate, best = rows[0]
    digits, ends = _decimals(section, anchor), best.pictures.interval
    spread = f" (95 % interval {_bits(ends[0], digits)} to {_bits(ends[1], digits)})" if ends else ""
    few, count = _if_few(section, anchor, best), section.n_pictures
    over = few.removeprefix(" over ") or f"{count} picture{'' if count == 1 else 's'}"
    over += f" of {section.dataset}{', as no codec has more' if few else ''}"
    if not by_pictures(section, anchor):
        over += " (mean curves)"
    if rate >= 0:
        return (f"No codec needs fewer bits than {anchor} at equal {section.metric.title} over {over}; the nearest is "
                f"{best.label} with {_bits(rate, digits)}{spread}.")
    leaders = _leaders(section, rows)
    if len(leaders) > 1:
        return (f"{_named(leaders, digits)} need the fewest bits against {anchor} at equal {section.metric.title} over "
                f"{over}. They cannot be told apart: {_why_near(section, leaders)}.")
    then = [f"{row.label} ({_bits(v, digits)})" for v, row in rows[1:NAMED]]
    after = f", before {' and '.join(then)}" if then else ""
    return (f"{best.label} needs the fewest bits at equal {section.metric.title} over {over}: "
            f"{-rate:.{digits}f} % fewer than {anchor}{spread}{after}.")


def _leaders(section: Section, rows: Sequence[tuple[float, Comparison]]) -> list[tuple[float, Comparison]]:
    """The best of `rows`, with those after it, at most `NAMED` in all, of which the interval against it, picture by
    picture, does not lie wholly on the side of more bits: which of them is best is not known."""
    assert section.pairs is not None
    leaders = list(rows[:1])
    for rate, row in rows[1:NAMED]:
        interval = section.pairs.compare(rows[0][1].label, row.label).pictures.interval
        if rate < 0 and (interval is None or interval[0] <= 0):
            leaders.append((rate, row))
    return leaders


def _named(rows: Sequence[tuple[float, Comparison]], digits: int) -> str:
    *first, last = [f"{row.label} ({_bits(rate, digits)})" for rate, row in rows]
    return f"{', '.join(first)} and {last}" if first else last


def _why_near(section: Section, leaders: Sequence[tuple[float, Comparison]]) -> str:
    assert section.pairs is not None
    over = section.pairs.compare(leaders[0][1].label, leaders[1][1].label).pictures
    if over.interval is None:
        return over.why_no_interval or "there is no interval"
    return "the intervals of their differences contain 0"


def _bits(rate: float, digits: int) -> str:
    return f"{number(rate, digits, signed=True)} %"


def _decimals(section: Section, anchor: str) -> int:
    assert section.pairs is not None
    return rate_decimals(section.pairs.against[anchor])


def _speed(drawn: DrawnSpeeds | None) -> str:
    sides = {side: values for side, values in (drawn.sides.items() if drawn else ()) if values}
    if not sides:
        why = drawn.notes[0].removesuffix(f" {HOW_TO_TIME}").removeprefix("Not drawn: ") if drawn else ""
        why = why.replace(f". {REFUSED}", ", as other work ran while the points were timed.")
        return f"Speed is not compared: {why[:1].lower()}{why[1:]}"
    fastest = {side: max(values.items(), key=lambda pair: pair[1][0]) for side, values in sides.items()}
    few = f", over {drawn.few}" if drawn and drawn.few else ""
    if len({label for label, _ in fastest.values()}) == 1 < len(fastest):
        (label, encoding), (_, decoding) = fastest["encode"], fastest["decode"]
        return (f"{label} encodes and decodes fastest ({encoding[0]:.3g} and {decoding[0]:.3g} MP/s), on one "
                f"core{few}.")  # fmt: skip
    words = [f"{label} {side}s fastest ({speed[0]:.3g} MP/s)" for side, (label, speed) in fastest.items()]
    return f"{', '.join(words)}, on one core{few}."


def _columns(analysis: Analysis, speeds: Mapping[str, DrawnSpeeds]) -> Iterator[Column]:
    several = len({section.dataset for section in analysis.sections}) > 1
    for section in analysis.sections:
        if section.anchor is not None:
            ranked = rankings(section)
            values = {row.label: v for ranking in ranked for v, row in ranking.rows}
            few = {row.label: ranking.few(row.label) for ranking in ranked for _, row in ranking.rows}
            where = f", {section.dataset}" if several else ""
            yield Column(f"{section.metric.title}{where}", {section.anchor: 0.0, **values},
                         rate_decimals(section.comparisons), True, few,
                         {label for ranking in ranked for label in ranking.apart})
    for dataset, drawn in speeds.items():
        for side, codecs in drawn.sides.items():
            if codecs:
                middle = {label: one[0] for label, one in codecs.items()}
                least = min(middle.values())
                where = f", {dataset}" if several else ""
                yield Column(f"{side.capitalize()} (MP/s){where}", middle,
                             max(0, min(3, 1 - math.floor(math.log10(least)))), False)
