"""Speed against BD-rate: what a codec's savings cost in time, and which codecs no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.analysis import Section
from benchbox_reports.figures.rd import colours
from benchbox_reports.figures.sheet import COLUMN, blank, freeze, printable
from benchbox_reports.labels import place_beside
from benchbox_reports.look import FAINT, INK, Look
from benchbox_reports.pareto import DrawnSpeeds

HEIGHT = 2.6
"""Inches of each side's axes."""


def pareto_figure(section: Section, look: Mapping[str, Look], drawn: DrawnSpeeds, width: float) -> Figure | None:
    """Encode and decode speed (megapixels a second, logarithmic) across, BD-rate against the anchor up (lower is
    better); bars from the lower to the upper quartile. None where no codec has both. Call it within `styled`."""
    rates = {row.label: row.rate.value for row in section.comparisons if row.rate.value is not None}
    if section.anchor is not None:
        rates[section.anchor] = 0.0
    sides = {side: {label: speed for label, speed in of.items() if label in rates} for side, of in drawn.sides.items()}
    if not all(sides.values()):
        return None
    below = width <= COLUMN
    figure = blank(width, 2 * HEIGHT if below else HEIGHT)
    grid = figure.subplots(len(sides) if below else 1, 1 if below else len(sides), sharey=True, squeeze=False)
    for axes, (side, speeds) in zip(grid.flat, sides.items(), strict=True):
        axes.set_xscale("log")
        points = {label: (speed[0], rates[label]) for label, speed in speeds.items()}
        front = _front(points)
        axes.step([x for x, _ in front], [y for _, y in front], where="post", color=FAINT, linewidth=1, zorder=1)
        for label, (x, y) in points.items():
            axes.plot([speeds[label][1], speeds[label][2]], [y, y], color=look[label].colour, linewidth=1)
            axes.plot([x], [y], marker=look[label].marker, color=look[label].colour, linestyle="")
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.margins(0.12)
        axes.set_xlabel(f"{side.capitalize()} (MP/s, logarithmic)")
    grid.flat[0].set_ylabel(f"BD-rate against {printable(str(section.anchor))} (%)")
    freeze(figure)
    for axes, (_, speeds) in zip(grid.flat, sides.items(), strict=True):
        place = {printable(label): np.array([[speed[0], rates[label]]]) for label, speed in speeds.items()}
        place_beside(axes, place, colours(look))
    return figure


def _front(points: Mapping[str, tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that none beats in both, by rising speed."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points.values(), reverse=True):  # the fastest first
        if not front or y < front[-1][1]:
            front.append((x, y))
    return front[::-1]
