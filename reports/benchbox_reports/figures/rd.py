"""Rate-distortion curves: the metric (y) over bits per pixel (x), with an inset that enlarges a crowded part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from benchbox.appearance import PLAIN, Appearance
from benchbox.curves import Curve
from benchbox_reports.analysis import Section
from benchbox_reports.figures.inset import enlarge
from benchbox_reports.figures.legends import name_curves
from benchbox_reports.figures.sheet import blank, freeze, narrow, printable
from benchbox_reports.labels import place_labels
from benchbox_reports.look import FAINT, INK, Look

HEIGHT, HEIGHT_COLUMN = 3.4, 2.7
"""Height in inches of the axes of a page-wide and a column-wide figure."""
INLINE = (4.8, 3.5)
"""Size in inches of a figure for the page, whose legend is HTML: small, so that its text is legible on a phone."""
LOG_FROM = 10.0
"""Ratio of the largest to the smallest bpp from which the rate axis is logarithmic: equal steps are then equal savings,
and low rates are not squeezed into a corner."""
HIGHLIGHT = 1.25
"""How many times thicker the highlighted curve is."""
CROWDED = 8
"""Most curves with lines and markers of full size; more are drawn finer."""


def rd_figure(
    section: Section, look: Mapping[str, Look], width: float, appearance: Appearance = PLAIN
) -> Figure:
    """One section's curves for papers, all of them named, `width` inches wide; call it within `styled`."""
    figure = blank(width, HEIGHT_COLUMN if narrow(width) else HEIGHT)
    axes = figure.subplots()
    boxes = draw_rd(axes, section, look, appearance)
    enlarge(figure, axes, _points(section), boxes,
            lambda inset: draw_curves(inset, section, look, appearance.highlight))
    return figure


def draw_rd(axes: Any, section: Section, look: Mapping[str, Look], appearance: Appearance) -> list[Bbox]:
    """Draw and name a section's curves in `axes`, the only ones of their figure, and make the layout final; returns the
    boxes, in pixels, of names inside the axes."""
    draw_section(axes, section, look, appearance)
    bold = printable(appearance.highlight) if appearance.highlight else None
    return name_curves(axes.figure, axes, _points(section), colours(look), _order(section), bold)


def draw_section(axes: Any, section: Section, look: Mapping[str, Look], appearance: Appearance) -> None:
    """Draw a section's curves in `axes`, with labels, ticks and limits, and without names."""
    _label(axes, section)
    draw_curves(axes, section, look, appearance.highlight)
    _finish(axes, section)
    limit(axes, appearance, "bpp", section.metric.id)


def limit(axes: Any, appearance: Appearance, x: str, y: str) -> None:
    """Apply the author's ranges of the quantities on the two axes. On a logarithmic axis an end that is not positive is
    where it would be without a range."""
    for axis, quantity, end in ((axes.xaxis, x, axes.set_xlim), (axes.yaxis, y, axes.set_ylim)):
        low, high = appearance.ranges.get(quantity, (None, None))
        logarithmic = axis.get_scale() == "log"
        end(*(None if value is None or (logarithmic and value <= 0) else value for value in (low, high)))


def rd_inline(section: Section, look: Mapping[str, Look]) -> Figure:
    """One section's curves for the page, which has its own legend: names only at the curves, if they fit."""
    figure = blank(*INLINE)
    axes = figure.subplots()
    _label(axes, section)
    draw_curves(axes, section, look)
    _finish(axes, section)
    freeze(figure)
    place_labels(axes, _points(section), colours(look))
    return figure


def draw_curves(axes: Any, section: Section, look: Mapping[str, Look], highlight: str | None = None) -> None:
    """Draw all curves of a section: measured ones on top of published ones, which are thin and dashed; the one
    labelled `highlight` is thicker and on top of all."""
    for published in section.published:
        axes.plot(published.curve.bpp, published.curve.value, zorder=1.5, label=printable(published.curve.label),
                  **line(look[published.curve.label]))
    scale = 1.0 if len(section.drawable) <= CROWDED else 0.7
    for k, curve in enumerate(section.drawable):
        ours = curve.label == highlight
        axes.plot(curve.bpp[curve.usable], curve.value[curve.usable], zorder=2.6 if ours else 2.5 - 0.001 * k,
                  label=printable(curve.label), **line(look[curve.label], HIGHLIGHT if ours else scale))


def line(style: Look, scale: float = 1.0) -> dict[str, Any]:
    """A curve's look as arguments of ``plot``; `scale` multiplies line width and marker size. Published curves are thin
    and their markers, where they have any, hollow."""
    if style.published:
        return {"color": style.colour, "linewidth": 0.9, "linestyle": style.dashes, "marker": style.marker,
                "markersize": 3, "markerfacecolor": "none", "markeredgewidth": 0.6}
    return {"color": style.colour, "marker": style.marker, "linestyle": style.dashes,
            "linewidth": scale * mpl.rcParams["lines.linewidth"],
            "markersize": scale * mpl.rcParams["lines.markersize"]}


def colours(look: Mapping[str, Look]) -> dict[str, str]:
    """Printed name -> colour."""
    return {printable(label): style.colour for label, style in look.items()}


def lossless_in_range(section: Section) -> list[tuple[str, float]]:
    """The lossless codecs whose mean bpp lies within the figure, which shows them by a vertical line."""
    top = max((float(np.nanmax(c.bpp[c.usable])) for c in section.drawable), default=0.0)
    return [(item.label, item.bpp) for item in section.lossless if item.bpp is not None and item.bpp <= 1.05 * top]


def leaving(section: Section) -> list[str]:
    """The published curves that run on beyond the axes, which hold the measured ones."""
    if not (section.published and section.drawable):
        return []
    (x0, x1), (y0, y1) = _limits(section)
    return [p.curve.label for p in section.published
            if ((p.curve.bpp < x0) | (p.curve.bpp > x1) | (p.curve.value < y0) | (p.curve.value > y1)).any()]


def is_log(curves: Sequence[Curve]) -> bool:
    """Whether the rate axis of these curves is logarithmic; see `LOG_FROM`."""
    rates = np.concatenate([curve.bpp[curve.usable] for curve in curves]) if curves else np.array([1.0])
    return bool(rates.max() / rates.min() >= LOG_FROM)


def _label(axes: Any, section: Section) -> None:
    if is_log(section.drawable):
        axes.set_xscale("log")
        axes.set_xlabel("Rate (bits per pixel, logarithmic)")
    else:
        axes.set_xlabel("Rate (bits per pixel)")
    axes.set_ylabel(section.metric.display.label)


def _finish(axes: Any, section: Section) -> None:
    """Ticks, limits and lossless codecs, once the curves are drawn."""
    log = axes.get_xscale() == "log"
    if log:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=30))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.04)
    if section.published and section.drawable:
        across, up = _limits(section)
        axes.set(xlim=across, ylim=up)
    elif not log:
        axes.set_xlim(left=0)
    for label, bpp in lossless_in_range(section):
        axes.axvline(bpp, color=FAINT, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1.4)
        axes.annotate(f"{printable(label)} (lossless)", (bpp, 0.02), xycoords=("data", "axes fraction"), rotation=90,
                      ha="right", va="bottom", color=INK)


def _limits(section: Section) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ends of the axes, (x, y), that hold the measured curves and the lossless codecs; published curves may leave
    them."""
    rates = np.concatenate([c.bpp[c.usable] for c in section.drawable])
    values = np.concatenate([c.value[c.usable] for c in section.drawable])
    pad, log = 0.05 * (float(np.ptp(values)) or 1.0), is_log(section.drawable)
    top = max([float(rates.max()), *(bpp for _, bpp in lossless_in_range(section))])
    return ((float(rates.min()) / 1.1 if log else 0.0, top * (1.1 if log else 1.04)),
            (float(values.min()) - pad, float(values.max()) + pad))


def _points(section: Section) -> dict[str, Any]:
    return {printable(c.label): np.column_stack([c.bpp[c.usable], c.value[c.usable]]) for c in section.drawable}


def _order(section: Section) -> list[str]:
    """Names in the order of the curves at 1 bpp, the best first; published ones last."""
    sign = 1 if section.metric.better == "higher" else -1
    ours = sorted(section.drawable, key=lambda curve: -sign * _height(curve))
    return [printable(c.label) for c in (*ours, *(p.curve for p in section.published))]


def _height(curve: Curve) -> float:
    """The curve's value at 1 bpp, or at its end nearest to that."""
    value, rate = curve.value[curve.usable], np.log2(curve.bpp[curve.usable])
    return float(np.interp(0.0, rate, value))
