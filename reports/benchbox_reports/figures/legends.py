"""Names the curves of a figure: at the curves if all names fit, else at their ends right of a column-wide figure, or in
a legend right of a page-wide one or below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchbox_reports.figures.ends import MOST as MOST_AT_ENDS
from benchbox_reports.figures.ends import name_at_ends
from benchbox_reports.figures.sheet import freeze, narrow, settle, wrapped
from benchbox_reports.labels import Floats, place_labels
from benchbox_reports.look import INK

COLUMN_MAX = 0.4
"""Largest share of a page-wide figure's width for a legend right of the axes; a wider legend goes below."""


def name_curves(
    figure: Figure, axes: Any, curves: Mapping[str, Floats], colours: Mapping[str, str], order: Sequence[str],
    bold: str | None = None,
) -> list[Bbox]:  # fmt: skip
    """Name every labelled line of `axes` and make the layout final.

    A column-wide figure names up to `ends.MOST` curves right of the axes, where their names do not fit in it.

    Args:
        figure: the figure.
        axes: its axes.
        curves: label -> (P, 2) points of the lines to name where they are drawn, if all names fit.
        colours: label -> colour of its name.
        order: all labels in the order of the legend, which names the other lines.
        bold: the one name to set bold.

    Returns:
        The boxes that names inside the axes take, in pixels.
    """
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    named = [name for name in order if name in handles]
    height = figure.get_figheight()
    rest = [name for name in named if name not in curves]
    if narrow(figure.get_figwidth()) and len(named) <= MOST_AT_ENDS:
        settle(figure)
        boxes = place_labels(axes, curves, colours) if not rest else None
        if boxes is None:
            every = {name: np.asarray(handles[name].get_xydata(), float) for name in named}
            name_at_ends(figure, axes, every, {**dict.fromkeys(every, INK), **colours}, bold)
        else:
            freeze(figure)
        return boxes or []
    if rest:
        legend(figure, [handles[name] for name in rest], rest)
    settle(figure)
    boxes = place_labels(axes, curves, colours)
    if boxes is None and curves:
        for old in list(figure.legends):
            old.remove()
        figure.set_figheight(height)
        legend(figure, [handles[name] for name in named], named)
    freeze(figure)
    return boxes or []


def legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Add a legend outside the axes: right of them in a page-wide figure if it is narrow; else below, and the figure
    grows by its height."""
    texts = [wrapped(name) for name in names]
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    if not narrow(figure.get_figwidth()):
        beside = figure.legend(handles, texts, loc="outside right upper")
        size = beside.get_window_extent(renderer)
        if size.width <= COLUMN_MAX * figure.bbox.width and size.height <= 0.95 * figure.bbox.height:
            return
        beside.remove()
    below = _below(figure, handles, texts)
    figure.set_figheight(figure.get_figheight() + below.get_window_extent(renderer).height / figure.dpi)


def _below(figure: Figure, handles: Sequence[Any], texts: Sequence[str]) -> Any:
    """The legend with the most columns, up to four, that is not wider than the figure."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for columns in range(min(4, len(texts)), 0, -1):
        tried = figure.legend(handles, texts, loc="outside lower center", ncols=columns, columnspacing=1.2)
        if columns == 1 or tried.get_window_extent(renderer).width <= 0.98 * figure.bbox.width:
            return tried
        tried.remove()
    raise AssertionError("there is no column")
