"""Names the curves of a figure: at the curves if all names fit, else in a legend right of the axes or below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchbox_reports.figures.sheet import PAGE, freeze, settle, wrapped
from benchbox_reports.labels import Floats, place_labels

COLUMN_MAX = 0.4
"""Largest share of a page-wide figure's width for a legend right of the axes; a wider legend goes below."""


def name_curves(
    figure: Figure, axes: Any, curves: Mapping[str, Floats], colours: Mapping[str, str], order: Sequence[str],
) -> list[Bbox]:  # fmt: skip
    """Name every labelled line of `axes` and make the layout final.

    Args:
        figure: the figure.
        axes: its axes.
        curves: label -> (P, 2) points of the lines to name where they are drawn, if all names fit.
        colours: label -> colour of its name.
        order: all labels in the order of the legend, which names the other lines.

    Returns:
        The boxes that names inside the axes take, in pixels.
    """
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    named = [name for name in order if name in handles]
    height = figure.get_figheight()
    rest = [name for name in named if name not in curves]
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
    if figure.get_figwidth() >= PAGE:
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
