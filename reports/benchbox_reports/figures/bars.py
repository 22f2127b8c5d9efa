"""BD-rates as bars, the best first: every ranking, which is by one measure, in axes of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.analysis import Section
from benchbox_reports.figures.sheet import blank, narrow, settle, wrapped
from benchbox_reports.look import INK, Look
from benchbox_reports.measure import Ranking, rankings
from benchbox_reports.wording import given_as_means, number

ROW, FRAME, HEAD = 0.2, 0.62, 0.5
"""Heights in inches: of a bar with its gap, of the rest of the figure, and of what a second ranking adds."""
BAR = "#b9bdc6"
"""Colour of a bar: only the highlighted one has its codec's."""
GAP, VALUE = 3.0, 0.46
"""Points between the zero line, or an interval across it, and a value; inches that a value takes."""


def bars_figure(
    section: Section, look: Mapping[str, Look], width: float, highlight: str | None = None
) -> Figure | None:
    """Draw the BD-rate of every codec against the section's anchor, `width` inches wide; call it within `styled`.

    Measured codecs have bars by the mean over pictures, with its 95 % interval. Published curves, which have no single
    pictures, have hatched bars by mean curves, in axes of their own; diamonds then show the measured codecs by that
    measure. The codec labelled `highlight` has a bar in colour. Returns None where there is no value.
    """
    ranked = [ranking for ranking in rankings(section) if ranking.rows]
    if not ranked:
        return None
    counts = [len(ranking.rows) for ranking in ranked]
    figure = blank(width, FRAME + HEAD * (len(ranked) - 1) + ROW * sum(counts))
    grid = list(figure.subplots(len(ranked), 1, squeeze=False, sharex=True, height_ratios=counts)[:, 0])
    for axes, ranking in zip(grid, ranked, strict=True):
        _draw(axes, ranking, look, highlight)
    small = narrow(width)
    what = f"BD-rate against {section.anchor}, {section.metric.title} (%)"
    if len(ranked) == 1:
        what += f", {ranked[0].name}"
    else:
        _diamonds(grid[0], ranked[0])
        for axes, said in zip(grid, (f"{ranked[0].name.capitalize()}; diamonds: mean curves",
                                     f"{given_as_means(row.label for _, row in ranked[1].rows)}: mean curves"),
                              strict=True):  # fmt: skip
            axes.set_title(wrapped(said, 26 if small else 70), loc="left", fontsize="medium", color=INK)
    grid[-1].set_xlabel(wrapped(what, 36 if small else 70), loc="right" if small else "center")
    settle(figure)
    _values(grid, ranked, highlight)
    return figure


def _draw(axes: Any, ranking: Ranking, look: Mapping[str, Look], highlight: str | None) -> None:
    for place, (value, row) in enumerate(ranking.rows):
        colour = look[row.label].colour if row.label == highlight and row.label in look else BAR
        hollow = {"facecolor": "none", "edgecolor": colour, "hatch": "////"}
        fill: dict[str, Any] = hollow if row.published else {"color": colour}
        axes.barh(place, value, height=0.66, linewidth=0.8, **fill)
        _interval(axes, place, _ends(ranking, place))
    axes.set_yticks(np.arange(len(ranking.rows)), [wrapped(_name(ranking, row.label)) for _, row in ranking.rows])
    for tick, (_, row) in zip(axes.get_yticklabels(), ranking.rows, strict=True):
        tick.set_fontweight("bold" if row.label == highlight else "normal")
    axes.set_ylim(len(ranking.rows) - 0.4, -0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def _name(ranking: Ranking, label: str) -> str:
    """A codec with its number of pictures, where its mean is not over all."""
    few = ranking.few(label) if ranking.by_pictures else ""
    return f"{label} ({few})" if few else label


def _diamonds(axes: Any, ranking: Ranking) -> None:
    """Mark the values on mean curves, the measure of published curves."""
    rates = [(row.rate.value, place) for place, (_, row) in enumerate(ranking.rows) if row.rate.value is not None]
    axes.plot([rate for rate, _ in rates], [place for _, place in rates], linestyle="", marker="D", markersize=3.4,
              markerfacecolor="white", markeredgecolor=INK, markeredgewidth=0.7, zorder=3)


def _ends(ranking: Ranking, place: int) -> tuple[float, float] | None:
    return ranking.rows[place][1].pictures.interval if ranking.by_pictures else None


def _interval(axes: Any, place: int, ends: tuple[float, float] | None) -> None:
    if ends is None:
        return
    for colour, wide in (("white", 2.4), (INK, 1.0)):  # a white edge, to be seen on a dark bar
        axes.plot([*ends], [place, place], color=colour, linewidth=wide, marker="|", markersize=3 + wide,
                  markeredgewidth=wide)


def _values(grid: Sequence[Any], ranked: Sequence[Ranking], highlight: str | None) -> None:
    """Write each value across the zero line from its bar, where no bar is, and make room for it on both sides."""
    low, high = grid[0].get_xlim()
    for axes, ranking in zip(grid, ranked, strict=True):
        for place, (value, row) in enumerate(ranking.rows):
            marks = (*(_ends(ranking, place) or ()), *([row.rate.value or 0.0] if len(ranked) > 1 else []))
            right = value < 0
            tip = max(0.0, *marks, 0.0) if right else min(0.0, *marks, 0.0)
            axes.annotate(number(value, ranking.decimals, signed=True), (tip, place), ((1 if right else -1) * GAP, 0),
                          textcoords="offset points", va="center", ha="left" if right else "right", color=INK,
                          fontweight="bold" if row.label == highlight else "normal")  # fmt: skip
    room = VALUE * grid[0].figure.dpi / grid[0].bbox.width * (high - low)
    values = [value for ranking in ranked for value, _ in ranking.rows]
    negative, positive = any(value < 0 for value in values), any(value >= 0 for value in values)
    grid[0].set_xlim(min(low, -room if positive else 0.0), max(high, room if negative else 0.0))
