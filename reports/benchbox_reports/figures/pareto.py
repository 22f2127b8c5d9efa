"""Speed against BD-rate: the cost in time of a codec's savings, and the codecs that no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchbox_reports.analysis import Section
from benchbox_reports.figures.legends import legend
from benchbox_reports.figures.rd import colours
from benchbox_reports.figures.sheet import blank, freeze, narrow, printable, settle, wrapped
from benchbox_reports.labels import place_at_points
from benchbox_reports.look import FAINT, INK, Look
from benchbox_reports.measure import rankings
from benchbox_reports.pareto import DrawnSpeeds

HEIGHT = 2.6
"""Height in inches of the axes of encoding and of decoding."""
FEW_DECADES = 2.0
"""Most decades on the speed axis with which 2 and 5 have ticks too."""

Speed = tuple[float, float, float]
"""Median, lower and upper quartile, megapixels per second."""


def pareto_figure(section: Section, look: Mapping[str, Look], drawn: DrawnSpeeds, width: float) -> Figure | None:
    """Draw BD-rate against the anchor (y, lower is better) over encoding and decoding speed (x, logarithmic, in
    megapixels per second; median over operating points, bars between the quartiles), `width` inches wide; call it
    within `styled`.

    For every codec left of or above the Pareto front there is a faster one that needs no more bits. Returns None where
    no codec has both speed and BD-rate.
    """
    timed = {label for of in drawn.sides.values() for label in of}
    rates = {row.label: value for ranking in rankings(section)
             for value, row in ranking.alike if row.label in timed}
    if section.anchor is not None:
        rates[section.anchor] = 0.0
    sides = {side: {label: speed for label, speed in of.items() if label in rates} for side, of in drawn.sides.items()}
    if not all(sides.values()):
        return None
    below = narrow(width)
    figure = blank(width, 2 * HEIGHT if below else HEIGHT)
    grid = figure.subplots(len(sides) if below else 1, 1 if below else len(sides), sharey=True, squeeze=False)
    for axes, (side, speeds) in zip(grid.flat, sides.items(), strict=True):
        _draw(axes, speeds, rates, look)
        axes.set_xlabel(f"{side.capitalize()} speed (MP/s, logarithmic)")
        if below or axes is grid.flat[0]:
            axes.set_ylabel(wrapped(f"BD-rate against {section.anchor} (%)", 40))
    fronts = [_draw_front(axes, [(speed[0], rates[label]) for label, speed in speeds.items()])
              for axes, speeds in zip(grid.flat, sides.values(), strict=True)]
    settle(figure)
    if not all(_names(axes, speeds, rates, look, front)
               for axes, speeds, front in zip(grid.flat, sides.values(), fronts, strict=True)):
        for axes in grid.flat:
            for text in list(axes.texts):
                text.remove()
        handles = dict(zip(*reversed(grid.flat[0].get_legend_handles_labels()), strict=True))
        order = sorted(handles, key=lambda name: rates.get(name, 0.0))
        legend(figure, [handles[name] for name in order], order)
    freeze(figure)
    return figure


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (speed, BD-rate) points that no other beats in both, by rising speed."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (-point[0], point[1])):  # the fastest first
        if not front or y < front[-1][1]:
            front.append((x, y))
    return front[::-1]


def _draw(axes: Any, speeds: Mapping[str, Speed], rates: Mapping[str, float], look: Mapping[str, Look]) -> None:
    axes.set_xscale("log")
    for label, (middle, low, high) in speeds.items():
        y, style = rates[label], look[label]
        axes.plot([low, high], [y, y], color=style.colour, linewidth=0.9, alpha=0.6)
        axes.plot([middle], [y], marker=style.marker, color=style.colour, linestyle="", markersize=5,
                  fillstyle=style.fill, markerfacecoloralt="white", markeredgewidth=0.8, label=printable(label))
    axes.margins(x=0.1, y=0.12)
    axes.axhline(0, color=INK, linewidth=0.6, zorder=0.9)
    low, high = axes.get_xlim()
    few = np.log10(high / low) <= FEW_DECADES
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=30))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_front(axes: Any, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Draw the front as the edge of the region that is slower and larger; returns the edge, (P, 2)."""
    front = pareto_front(points)
    limits = axes.get_xlim(), axes.get_ylim()
    edge = [(limits[0][0], front[0][1])]
    for (x, y), (_, above) in zip(front, [*front[1:], (0.0, limits[1][1])], strict=True):
        edge += [(x, y), (x, above)]
    line = np.array(edge)
    axes.plot(line[:, 0], line[:, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.set(xlim=limits[0], ylim=limits[1])
    return line


def _names(
    axes: Any, speeds: Mapping[str, Speed], rates: Mapping[str, float], look: Mapping[str, Look], front: np.ndarray
) -> bool:
    """Write each codec's name next to its point if all fit; returns whether they do."""
    points = {printable(label): np.array([[speed[0], rates[label]]]) for label, speed in speeds.items()}
    bars = [np.array([[low, rates[label]], [high, rates[label]]]) for label, (_, low, high) in speeds.items()]
    level = np.array([[axes.get_xlim()[0], 0.0], [axes.get_xlim()[1], 0.0]])
    return place_at_points(axes, points, colours(look), [*bars, front, level]) is not None
