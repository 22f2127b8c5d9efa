"""Enlarges a crowded part of a figure in a free corner, where there are both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from benchbox_reports.labels import Floats, dense, dense_paths, touches
from benchbox_reports.look import FAINT

FEWEST = 3
"""Fewest curves that make a crowd."""
CLOSE = 5.5
"""Mean distance in points between neighbouring curves below which they crowd: about the size of a marker."""
ZOOM = 2.5
"""How many times larger the inset draws its part."""
APART = 4.0
"""Least mean distance in points between neighbouring curves in an inset; where they stay closer, it does not help."""
MANY = 12
"""Most curves of a figure with an inset; more stay a tangle when enlarged."""
SIZES = ((0.48, 0.48), (0.42, 0.42), (0.42, 0.34), (0.36, 0.36), (0.42, 0.28), (0.34, 0.28))
"""Sizes to try, as shares of the axes' width and height; the first that fits is taken."""
LEAST = 0.95
"""Least width of an inset, in inches."""
TICKS = (30.0, 15.0)
"""Space in points that tick labels take left of and below the inset."""


@dataclass(frozen=True)
class Crowd:
    """Where curves crowd: the centre, how many they are, and the distance from first to last; lengths in pixels."""

    x: float
    y: float
    curves: int
    spread: float


def enlarge(
    figure: Figure, axes: Any, curves: Mapping[str, Floats], taken: Sequence[Bbox], draw: Callable[[Any], None]
) -> bool:
    """Add an inset if curves crowd and a corner is free.

    Args:
        figure: the figure.
        axes: its axes.
        curves: name -> (P, 2) points. They crowd where at least `FEWEST` run within `CLOSE` of their neighbours.
        taken: boxes in pixels that the inset must not cover; no line in the axes is covered either.
        draw: draws the curves into the axes that it is given.

    Returns:
        Whether an inset was added.
    """
    if not FEWEST <= len(curves) <= MANY:
        return False
    paths = dense_paths(axes, curves)
    every = np.concatenate([*paths.values(), *_lines(axes)])
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    full = [*taken, *(text.get_window_extent(renderer) for text in axes.texts)]
    for size in SIZES:
        place = _free_corner(axes.bbox, size, every, full, figure.dpi / 72)
        if place is None or place.width < LEAST * figure.dpi:
            continue
        window = (place.width / ZOOM, place.height / ZOOM)
        crowd = densest(list(paths.values()), axes.bbox, window, figure.dpi / 72)
        if crowd is not None:
            _draw(axes, place, Bbox.from_bounds(crowd.x - window[0] / 2, crowd.y - window[1] / 2, *window), draw)
            return True
    return False


def densest(paths: Sequence[Floats], frame: Bbox, window: tuple[float, float], unit: float) -> Crowd | None:
    """The place where a window, in pixels, holds the most curves side by side, and of those the closest."""
    best: Crowd | None = None
    for x in np.linspace(frame.x0 + window[0] / 2, frame.x1 - window[0] / 2, 60):
        heights = np.sort([np.interp(x, *path.T) for path in paths if path[0, 0] <= x <= path[-1, 0]])
        for first in range(len(heights)):
            last = int(np.searchsorted(heights, heights[first] + 0.7 * window[1], side="right")) - 1
            count, spread = last - first + 1, float(heights[last] - heights[first])
            if count < FEWEST or not APART / ZOOM * unit <= spread / (count - 1) <= CLOSE * unit:
                continue
            found = Crowd(float(x), float(heights[first] + heights[last]) / 2, count, spread)
            if best is None or (found.curves, -found.spread) > (best.curves, -best.spread):
                best = found
    return best


def _lines(axes: Any) -> list[Floats]:
    """Every line of the axes, published curves and vertical lines of lossless codecs among them, as pixels."""
    found = {str(k): np.asarray(line.get_transform().transform(line.get_xydata()), float)
             for k, line in enumerate(axes.get_lines())}
    return [dense(points, axes.figure.dpi / 72) for points in found.values() if len(points)]


def _free_corner(
    frame: Bbox, size: tuple[float, float], every: Floats, taken: Sequence[Bbox], unit: float
) -> Bbox | None:
    """The box of an inset that covers nothing, ticks included: below right or above left of the curves."""
    width, height, pad = size[0] * frame.width, size[1] * frame.height, 4 * unit
    left, low = TICKS[0] * unit, TICKS[1] * unit
    for x, y in ((frame.x1 - width - pad, frame.y0 + low + pad), (frame.x0 + left + pad, frame.y1 - height - pad)):
        outer = Bbox.from_extents(x - left, y - low, x + width, y + height)
        if not touches(every, outer, pad) and not any(outer.overlaps(box) for box in taken):
            return Bbox.from_bounds(x, y, width, height)
    return None


def _draw(axes: Any, place: Bbox, window: Bbox, draw: Callable[[Any], None]) -> None:
    inset = axes.inset_axes(place.transformed(axes.transAxes.inverted()).bounds)
    draw(inset)
    (x0, y0), (x1, y1) = axes.transData.inverted().transform(window.get_points())
    inset.set(xscale=axes.get_xscale(), yscale=axes.get_yscale(), xlim=(x0, x1), ylim=(y0, y1))
    for axis in (inset.xaxis, inset.yaxis):
        axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    inset.tick_params(length=2, pad=2)
    for spine in inset.spines.values():
        spine.set(visible=True, color=FAINT)
    axes.indicate_inset_zoom(inset, edgecolor=FAINT, alpha=0.9, linewidth=0.7)
