"""Names at the ends of curves: in the margin right of the axes, each joined to its curve by a thin line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchbox_reports.figures.sheet import freeze, settle, wrapped
from benchbox_reports.labels import Floats

MOST = 8
"""Most names that a margin takes."""
WIDE = 13
"""Characters of a name on one line; longer names take two lines."""
LEADER, TEXT = 8.0, 10.0
"""Points right of the axes where the joining line ends and where the name begins."""


def name_at_ends(
    figure: Figure, axes: Any, curves: Mapping[str, Floats], colours: Mapping[str, str], bold: str | None = None
) -> None:
    """Write the name of each curve right of the axes, in the order of the curves' ends, and make the layout final.

    Args:
        figure: the figure; its layout makes room for the names.
        axes: its axes, with their final limits.
        curves: name -> (P, 2) points in data coordinates, by rising x.
        colours: name -> colour of its name.
        bold: the one name to set bold.
    """
    texts = {name: axes.annotate(
        wrapped(name, WIDE), (1, 0), (TEXT, 0), xycoords="axes fraction", textcoords="offset points",
        va="center", ha="left", color=colours[name], annotation_clip=False, linespacing=1.0,
        fontweight="bold" if name == bold else "normal") for name in curves}  # fmt: skip
    settle(figure)
    ends = {name: _end(axes, points) for name, points in curves.items()}
    freeze(figure)
    ends = {name: _end(axes, points) for name, points in curves.items()}  # the layout moved them
    unit, frame = figure.dpi / 72, axes.bbox
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    order = sorted(ends, key=lambda name: ends[name][1])
    heights = [texts[name].get_window_extent(renderer).height + 1.5 * unit for name in order]
    middles = spread([ends[name][1] for name in order], heights, frame.y0, frame.y1)
    for name, middle in zip(order, middles, strict=True):
        share = (middle - frame.y0) / frame.height
        texts[name].xy = (1, share)
        x, y = axes.transAxes.inverted().transform(ends[name])
        tip = 1 + LEADER * unit / frame.width
        axes.plot([x, 1.0, tip], [y, y, share], color=colours[name], linewidth=0.5, linestyle=(0, (1, 1.5)),
                  transform=axes.transAxes, clip_on=False, zorder=1.2, label="_join", scalex=False, scaley=False)


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Middles of boxes of these heights, near those `wanted` (rising), that do not overlap and lie in [low, high] as
    far as there is room."""
    blocks: list[list[float]] = []  # each: middle, height, boxes in it
    for middle, height in zip(wanted, heights, strict=True):
        blocks.append([min(max(middle, low + height / 2), high - height / 2), height, 1])
        while len(blocks) > 1 and blocks[-2][0] + blocks[-2][1] / 2 > blocks[-1][0] - blocks[-1][1] / 2:
            b, a = blocks.pop(), blocks.pop()
            height, count = a[1] + b[1], a[2] + b[2]
            joined = (a[0] * a[2] + b[0] * b[2]) / count
            blocks.append([max(min(joined, high - height / 2), low + height / 2), height, count])
    found: list[float] = []
    for middle, height, count in blocks:
        y = middle - height / 2
        for own in heights[len(found) : len(found) + int(count)]:
            found.append(y + own / 2)
            y += own
    return found


def _end(axes: Any, points: Floats) -> tuple[float, float]:
    """Pixels of the last place of a curve inside the axes; of its last point, where none is inside."""
    pixels, frame = axes.transData.transform(points), axes.bbox
    dense = [pixels[-1:]] if len(pixels) == 1 else [
        np.linspace(a, b, 50) for a, b in pairwise(pixels)]
    path = np.concatenate(dense)
    inside = ((path[:, 0] >= frame.x0 - 1) & (path[:, 0] <= frame.x1 + 1) & (path[:, 1] >= frame.y0 - 1)
              & (path[:, 1] <= frame.y1 + 1))
    x, y = path[inside][-1] if inside.any() else path[-1]
    return float(x), float(min(max(y, frame.y0), frame.y1))
