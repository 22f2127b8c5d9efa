"""Names written beside their curves, where there is room for all of them without touching a curve or each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

MOST = 6
"""More names than this are read faster in a legend."""
GAP = 5.0
"""Distance between a name and its own curve, in points; every other curve stays twice as far away."""
_SIDES = ((1, -1, "left", "top"), (-1, 1, "right", "bottom"))  # below right and above left of a rising curve


def place_labels(axes: Any, curves: Mapping[str, Floats], colours: Mapping[str, str]) -> bool:
    """Write each name at its curve, (P, 2) points in data coordinates, if all fit; else write none and return False."""
    if not 1 < len(curves) <= MOST:
        return False
    figure = axes.figure
    renderer = figure.canvas.get_renderer()
    unit = figure.dpi / 72
    axes.autoscale_view()
    paths = {name: _dense(axes.transData.transform(points), unit) for name, points in curves.items()}
    texts: list[Any] = []
    taken: list[Bbox] = []
    for name in curves:
        text = axes.text(0, 0, name, color=colours[name], fontsize=8.5, fontweight="bold")
        texts.append(text)
        others = np.concatenate([path for other, path in paths.items() if other != name])
        size = text.get_window_extent(renderer)
        found = _place(paths[name], others, (size.width, size.height), taken, axes.bbox, GAP * unit)
        if found is None:
            for drawn in texts:
                drawn.remove()
            return False
        (x, y, ha, va), box = found
        text.set(position=axes.transData.inverted().transform((x, y)), ha=ha, va=va)
        taken.append(box)
    return True


def _dense(points: Floats, unit: float) -> Floats:
    """The polyline through `points` (pixels) as points at most 3 pt apart."""
    if len(points) == 1:
        return points
    steps = (np.hypot(*np.diff(points, axis=0).T) / (3 * unit)).astype(int) + 2
    return np.concatenate([np.linspace(a, b, n) for (a, b), n in zip(pairwise(points), steps, strict=True)])


def _place(
    own: Floats, others: Floats, size: tuple[float, float], taken: Sequence[Bbox], frame: Bbox, gap: float
) -> tuple[tuple[float, float, str, str], Bbox] | None:
    """The first free place along the curve, from its upper end down, and the box it takes."""
    for x0, y0 in own[::-2]:
        for dx, dy, ha, va in _SIDES:
            x, y = float(x0 + dx * gap), float(y0 + dy * gap)
            box = Bbox.from_bounds(x if ha == "left" else x - size[0], y if va == "bottom" else y - size[1], *size)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if (inside and not _touches(own, box, 0.5 * gap) and not _touches(others, box, 2 * gap)
                    and not any(box.padded(gap).overlaps(other) for other in taken)):
                return (x, y, ha, va), box
    return None


def _touches(points: Floats, box: Bbox, pad: float) -> bool:
    x, y = points.T
    return bool(((x > box.x0 - pad) & (x < box.x1 + pad) & (y > box.y0 - pad) & (y < box.y1 + pad)).any())
