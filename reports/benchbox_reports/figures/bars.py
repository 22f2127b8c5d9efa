"""BD-rates as bars, the best first, each with its interval over pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.analysis import Comparison, Section
from benchbox_reports.figures.sheet import blank, wrapped
from benchbox_reports.look import FAINT, INK, Look

ROW, FRAME = 0.2, 0.62
"""Heights in inches: of a bar with its gap, and of the rest of the figure."""


def bars_figure(section: Section, look: Mapping[str, Look], width: float) -> Figure | None:
    """Draw the BD-rate of every codec against the section's anchor, `width` inches wide; call it within `styled`.

    Bars show the mean over pictures with its 95 % interval. Published curves have no pictures; their bars are hollow
    and show the value on mean curves. Returns None where there is no value.
    """
    rows = sorted(((value, row) for row in section.comparisons if (value := bd_value(row)) is not None),
                  key=lambda pair: pair[0])
    if not rows:
        return None
    figure = blank(width, FRAME + ROW * len(rows))
    axes = figure.subplots()
    for place, (value, row) in enumerate(rows):
        colour = look[row.label].colour if row.label in look else FAINT
        hollow = {"facecolor": "none", "edgecolor": FAINT, "hatch": "////"}
        fill: dict[str, Any] = hollow if row.published else {"color": colour}
        axes.barh(place, value, height=0.66, linewidth=0.8, **fill)
        if row.pictures.interval is not None:
            low, high = row.pictures.interval
            for colour, wide in (("white", 2.4), (INK, 1.0)):  # a white edge, to be seen on a dark bar
                axes.plot([low, high], [place, place], color=colour, linewidth=wide, marker="|", markersize=3 + wide,
                          markeredgewidth=wide)
    axes.set_yticks(np.arange(len(rows)), [wrapped(row.label) for _, row in rows])
    axes.margins(x=0.03, y=0.01)
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(wrapped(f"BD-rate against {section.anchor}, {section.metric.title} (%)", 60 if width > 4 else 40))
    return figure


def bd_value(row: Comparison) -> float | None:
    """BD-rate in percent: the mean over pictures, or the value on mean curves where there is none."""
    return row.pictures.mean if row.pictures.mean is not None else row.rate.value
