"""A crowded part of a figure enlarged in a free corner, where there is one of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from benchbox_reports.labels import Floats, dense_paths, touches
from benchbox_reports.look import FAINT

FEWEST = 3
"""Curves that run side by side before anything is enlarged."""
CLOSE = 5.5
"""Points between neighbouring curves, on average, below which they are hard to tell apart: about a marker's size."""
ZOOM = 2.5
SIZES = ((0.48, 0.48), (0.42, 0.42), (0.42, 0.34), (0.36, 0.36), (0.42, 0.28), (0.34, 0.28))
"""Shares of the axes' width and height that the inset takes, the largest that fits."""
LEAST = 0.95
"""Inches of the smallest inset's width."""
TICKS = (30.0, 15.0)
"""Points left and below the inset that its tick labels take."""


@dataclass(frozen=True)
class Crowd:
    """Where curves crowd: centre in pixels, how many they are, and their distance from first to last in pixels."""

    x: float
    y: float
    curves: int
    spread: float


def enlarge(
    figure: Figure, axes: Any, curves: Mapping[str, Floats], taken: Sequence[Bbox], draw: Callable[[Any], None]
) -> bool:
    """Add an inset where at least `FEWEST` of `curves`, (P, 2) points each, run within `CLOSE` of their neighbours and
    a corner is free of curves and of the boxes `taken` (pixels); `draw` draws the curves into it. Says whether it
    did."""
    if len(curves) < FEWEST:
        return False
    paths = dense_paths(axes, curves)
    every = np.concatenate(list(paths.values()))
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
    """The place where a window (pixels) holds the most curves side by side, the closest ones where several do."""
    best: Crowd | None = None
    for x in np.linspace(frame.x0 + window[0] / 2, frame.x1 - window[0] / 2, 60):
        heights = np.sort([np.interp(x, *path.T) for path in paths if path[0, 0] <= x <= path[-1, 0]])
        for first in range(len(heights)):
            last = int(np.searchsorted(heights, heights[first] + 0.7 * window[1], side="right")) - 1
            count, spread = last - first + 1, float(heights[last] - heights[first])
            if count < FEWEST or spread / (count - 1) > CLOSE * unit:
                continue
            found = Crowd(float(x), float(heights[first] + heights[last]) / 2, count, spread)
            if best is None or (found.curves, -found.spread) > (best.curves, -best.spread):
                best = found
    return best


def _free_corner(
    frame: Bbox, size: tuple[float, float], every: Floats, taken: Sequence[Bbox], unit: float
) -> Bbox | None:
    """The box of an inset with its ticks, where it covers nothing: below right or above left of the curves."""
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
