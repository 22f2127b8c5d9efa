"""Writes names at their curves or points, if all of them fit without touching a curve or each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Place: TypeAlias = tuple[float, float, str, str]
"""Pixels and matplotlib's horizontal and vertical alignment."""

MOST = 6
"""Most names written at curves; more are read faster in a legend."""
MOST_AT_POINTS = 16
"""Most names written at single points."""
CLEAR = 1.2
"""Distance in points between the names of single points; names keep twice that from lines."""
GAP = 5.0
"""Distance in points between a name and its own curve; it keeps twice that from other curves."""
_SIDES = ((1, -1, "left", "top"), (-1, 1, "right", "bottom"))  # below right and above left of a rising curve
_AROUND = ((1, 0, "left", "center"), (-1, 0, "right", "center"), (0, 1, "center", "bottom"), (0, -1, "center", "top"),
           (0.8, 0.8, "left", "bottom"), (0.8, -0.8, "left", "top"), (-0.8, 0.8, "right", "bottom"),
           (-0.8, -0.8, "right", "top"))


def place_labels(axes: Any, curves: Mapping[str, Floats], colours: Mapping[str, str]) -> list[Bbox] | None:
    """Write each name at the end of its curve, or along it where that is taken.

    Args:
        axes: matplotlib's.
        curves: name -> (P, 2) points in data coordinates.
        colours: name -> colour of its text.

    Returns:
        The boxes that the names take, in pixels; None, and nothing is written, where one of them does not fit.
    """
    if not 1 < len(curves) <= MOST:
        return None
    unit = axes.figure.dpi / 72
    paths = dense_paths(axes, curves)
    return _place_all(axes, curves, colours, [
        (_along(paths[name], GAP * unit), paths[name],
         np.concatenate([path for other, path in paths.items() if other != name])) for name in curves
    ], GAP * unit)


def place_at_points(
    axes: Any, points: Mapping[str, Floats], colours: Mapping[str, str], lines: Sequence[Floats] = ()
) -> list[Bbox] | None:
    """Write each name next to its point, (1, 2), away from `lines`, (P, 2) each; returns what `place_labels` does."""
    if len(points) > MOST_AT_POINTS:
        return None
    unit = axes.figure.dpi / 72
    pixels = {name: axes.transData.transform(point) for name, point in points.items()}
    every = np.concatenate([*pixels.values(), *(dense(axes.transData.transform(line), unit) for line in lines)])
    nothing = np.zeros((0, 2))
    return _place_all(axes, points, colours, [(_around(point[0], GAP * unit), nothing, every)
                                              for point in pixels.values()], CLEAR * unit)


def dense_paths(axes: Any, curves: Mapping[str, Floats]) -> dict[str, Floats]:
    """The polylines through the curves' points, as pixels at most 3 pt apart."""
    axes.autoscale_view()
    return {name: dense(axes.transData.transform(points), axes.figure.dpi / 72) for name, points in curves.items()}


def touches(points: Floats, box: Bbox, pad: float) -> bool:
    """Whether any of the points lies in the box or less than `pad` away from it."""
    x, y = points.T
    return bool(((x > box.x0 - pad) & (x < box.x1 + pad) & (y > box.y0 - pad) & (y < box.y1 + pad)).any())


def _place_all(
    axes: Any, names: Mapping[str, Floats], colours: Mapping[str, str],
    tries: Sequence[tuple[Iterator[Place], Floats, Floats]], gap: float,
) -> list[Bbox] | None:
    renderer = axes.figure.canvas.get_renderer()
    texts: list[Any] = []
    taken: list[Bbox] = []
    for name, (places, own, others) in zip(names, tries, strict=True):
        texts.append(axes.text(0, 0, name, color=colours[name], fontweight="bold"))
        size = texts[-1].get_window_extent(renderer)
        found = _first_free(places, own, others, (size.width, size.height), taken, axes.bbox, gap)
        if found is None:
            for drawn in texts:
                drawn.remove()
            return None
        (x, y, ha, va), box = found
        texts[-1].set(position=axes.transData.inverted().transform((x, y)), ha=ha, va=va)
        taken.append(box)
    return taken


def dense(points: Floats, unit: float) -> Floats:
    """The polyline through `points`, in pixels, as points at most 3 pt apart; `unit` is a point in pixels."""
    if len(points) == 1:
        return points
    steps = (np.hypot(*np.diff(points, axis=0).T) / (3 * unit)).astype(int) + 2
    return np.concatenate([np.linspace(a, b, n) for (a, b), n in zip(pairwise(points), steps, strict=True)])


def _along(path: Floats, gap: float) -> Iterator[Place]:
    """Places to try: right of the curve's end, then on both sides of the curve, from its end to its start."""
    yield float(path[-1, 0] + gap), float(path[-1, 1]), "left", "center"
    for x, y in path[::-2]:
        for dx, dy, ha, va in _SIDES:
            yield float(x + dx * gap), float(y + dy * gap), ha, va


def _around(point: Floats, gap: float) -> Iterator[Place]:
    for far in (1.0, 1.8):
        for dx, dy, ha, va in _AROUND:
            yield float(point[0] + dx * far * gap), float(point[1] + dy * far * gap), ha, va


def _first_free(
    places: Iterator[Place], own: Floats, others: Floats, size: tuple[float, float], taken: Sequence[Bbox], frame: Bbox,
    gap: float,
) -> tuple[Place, Bbox] | None:  # fmt: skip
    """The first place where the text touches nothing, and the box it takes there."""
    for x, y, ha, va in places:
        left = x - size[0] * {"left": 0.0, "center": 0.5, "right": 1.0}[ha]
        low = y - size[1] * {"bottom": 0.0, "center": 0.5, "top": 1.0}[va]
        box = Bbox.from_bounds(left, low, *size)
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        if (inside and not touches(own, box, 0.5 * gap) and not touches(others, box, 2 * gap)
                and not any(box.padded(gap).overlaps(other) for other in taken)):
            return (x, y, ha, va), box
    return None
