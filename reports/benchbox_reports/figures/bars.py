"""BD-rates as bars, the best first: all by one measure, with the interval over pictures where that is the measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.analysis import Section
from benchbox_reports.figures.sheet import COLUMN, blank, wrapped
from benchbox_reports.look import INK, Look
from benchbox_reports.measure import Ranking, rank
from benchbox_reports.rounding import decimals, half_width
from benchbox_reports.wording import number

ROW, FRAME = 0.2, 0.62
"""Heights in inches: of a bar with its gap, and of the rest of the figure."""
BAR, HIGHLIGHT = "#b9bdc6", "#0a4fa8"
"""Colours of a bar: none but the highlighted one's carries a meaning, and both part in greyscale."""
GAP = 3.0
"""Points between a bar, with its interval, and its value."""


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
        colour = HIGHLIGHT if row.label == highlight else BAR
        hollow = {"facecolor": "none", "edgecolor": colour, "hatch": "////"}
        fill: dict[str, Any] = hollow if row.published else {"color": colour}
        axes.barh(place, value, height=0.66, linewidth=0.8, **fill)
        _interval(axes, place, _ends(ranking, place))
    labels = axes.set_yticks(np.arange(len(ranking.rows)), [wrapped(row.label) for _, row in ranking.rows])
    for tick, (_, row) in zip(axes.get_yticklabels() if labels else [], ranking.rows, strict=False):
        tick.set_fontweight("bold" if row.label == highlight else "normal")
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    _values(axes, ranking, highlight)
    anchor = f"BD-rate against {section.anchor}, {section.metric.title} (%), {ranking.name}"
    axes.set_xlabel(wrapped(anchor, 40 if width <= COLUMN else 70))
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
    """Write each value beyond the end of its bar and interval, and widen the axis so that all of them fit."""
    reach = []
    for place, (value, row) in enumerate(ranking.rows):
        ends = _ends(ranking, place)
        side = 1 if value >= 0 else -1
        tip = max([0.0, value, *(ends or ())]) if side > 0 else min([0.0, value, *(ends or ())])
        axes.annotate(number(value, decimals(half_width(ends), 1, 2), signed=True), (tip, place), (side * GAP, 0),
                      textcoords="offset points", va="center", ha="left" if side > 0 else "right", color=INK,
                      fontweight="bold" if row.label == highlight else "normal")
        reach.append(tip)
    low, high = min(0.0, *reach), max(0.0, *reach)
    span = (high - low) or 1.0
    room = 0.17 if axes.figure.get_figwidth() <= COLUMN else 0.09
    axes.set_xlim(low - (room if low < 0 else 0.02) * span, high + (room if high > 0 else 0.02) * span)
