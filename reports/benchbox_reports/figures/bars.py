"""BD-rates as bars, the best first: all by one measure, with the interval over pictures where that is the measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.analysis import Section
from benchbox_reports.figures.sheet import blank, narrow, settle, wrapped
from benchbox_reports.look import INK, Look
from benchbox_reports.measure import Ranking, rank
from benchbox_reports.rounding import decimals, half_width
from benchbox_reports.wording import number

ROW, FRAME = 0.2, 0.62
"""Heights in inches: of a bar with its gap, and of the rest of the figure."""
BAR = "#b9bdc6"
"""Colour of a bar: only the highlighted one has its codec's."""
GAP, VALUE = 3.0, 0.42
"""Points between the zero line, or an interval across it, and a value; inches that a value takes."""


def bars_figure(
    section: Section, look: Mapping[str, Look], width: float, highlight: str | None = None
) -> Figure | None:
    """Draw the BD-rate of every codec against the section's anchor, `width` inches wide; call it within `styled`.

    All bars show one measure (`measure.rank`): the mean over pictures with its 95 % interval or, where a published
    curve has no pictures, the value on mean curves. Published codecs' bars are hatched; the codec labelled `highlight`
    has a bar in colour. Returns None where there is no value.
    """
    ranking = rank(section)
    if not ranking.rows:
        return None
    figure = blank(width, FRAME + ROW * len(ranking.rows))
    axes = figure.subplots()
    for place, (value, row) in enumerate(ranking.rows):
        colour = look[row.label].colour if row.label == highlight and row.label in look else BAR
        hollow = {"facecolor": "none", "edgecolor": colour, "hatch": "////"}
        fill: dict[str, Any] = hollow if row.published else {"color": colour}
        axes.barh(place, value, height=0.66, linewidth=0.8, **fill)
        _interval(axes, place, _ends(ranking, place))
    axes.set_yticks(np.arange(len(ranking.rows)), [wrapped(row.label) for _, row in ranking.rows])
    for tick, (_, row) in zip(axes.get_yticklabels(), ranking.rows, strict=True):
        tick.set_fontweight("bold" if row.label == highlight else "normal")
    axes.set_ylim(len(ranking.rows) - 0.4, -0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    small = narrow(width)
    axes.set_xlabel(wrapped(f"BD-rate against {section.anchor}, {section.metric.title} (%), {ranking.name}",
                            36 if small else 70), loc="right" if small else "center")  # fmt: skip
    settle(figure)
    _values(axes, ranking, highlight)
    return figure


def _ends(ranking: Ranking, place: int) -> tuple[float, float] | None:
    return ranking.rows[place][1].pictures.interval if ranking.by_pictures else None


def _interval(axes: Any, place: int, ends: tuple[float, float] | None) -> None:
    if ends is None:
        return
    for colour, wide in (("white", 2.4), (INK, 1.0)):  # a white edge, to be seen on a dark bar
        axes.plot([*ends], [place, place], color=colour, linewidth=wide, marker="|", markersize=3 + wide,
                  markeredgewidth=wide)


def _values(axes: Any, ranking: Ranking, highlight: str | None) -> None:
    """Write each value across the zero line from its bar, where no bar is, and make room for it on both sides."""
    low, high = axes.get_xlim()
    for place, (value, row) in enumerate(ranking.rows):
        ends = _ends(ranking, place) or (0.0, 0.0)
        right = value < 0
        tip = max(0.0, *ends) if right else min(0.0, *ends)
        axes.annotate(number(value, decimals(half_width(_ends(ranking, place)), 1, 2), signed=True), (tip, place),
                      ((1 if right else -1) * GAP, 0), textcoords="offset points", va="center",
                      ha="left" if right else "right", color=INK,
                      fontweight="bold" if row.label == highlight else "normal")  # fmt: skip
    room = VALUE * axes.figure.dpi / axes.bbox.width * (high - low)
    negative = any(value < 0 for value, _ in ranking.rows)
    positive = any(value >= 0 for value, _ in ranking.rows)
    axes.set_xlim(min(low, -room if positive else 0.0), max(high, room if negative else 0.0))
