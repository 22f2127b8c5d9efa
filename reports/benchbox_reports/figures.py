"""Rate-distortion figures, drawn by matplotlib without pyplot (no global state, no display)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from benchbox.curves import Curve
from benchbox_reports.analysis import Analysis, Section
from benchbox_reports.labels import place_labels
from benchbox_reports.look import FAINT, INK, Look, looks

STYLE = Path(__file__).parent / "benchbox.mplstyle"
FORMATS = ("svg", "pdf", "png")
PAPER = (6.4, 3.9)
"""Inches, with the legend beside the axes."""
INLINE = (4.8, 3.5)
"""Inches, for the page, which has its legend in HTML: small, so that its text is legible on a phone."""
MARGINS = (0.66, 0.48, 0.1, 0.12)
"""Left, bottom, right, top of the axes, inches."""
LOG_FROM = 10.0
"""Largest bpp over smallest from which the rate axis is logarithmic: there equal steps are equal savings, and low rates
are not squeezed into a corner."""
CROWDED = 8
"""With more curves than this, lines and markers are drawn finer."""
LEGEND_COLUMN_MAX = 0.45
"""Widest part of the figure that a legend beside the axes may take; a wider one goes below."""


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Matplotlib with our style; the ids in an SVG depend on `name` and nothing else."""
    with mpl.rc_context(fname=STYLE), warnings.catch_warnings():
        mpl.rcParams["svg.hashsalt"] = name
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a label in Chinese is still a label
        yield


def printable(text: str) -> str:
    """`text` without control characters and lone surrogates, which no font has and XML forbids."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def file_names(sections: Sequence[Section]) -> list[str]:
    """A file name without suffix for each section: ``rd-kodak-psnr``; safe on every system, all different."""
    names: list[str] = []
    for section in sections:
        name = "-".join(["rd", *(_slug(part) for part in (section.dataset, section.metric.id))])
        while name in names:
            name += "x"
        names.append(name)
    return names


def write_figures(analysis: Analysis, out: Path) -> list[list[Path]]:
    """Write every section's figure in each of `FORMATS` below ``figures/``; the files by section, none where there is
    nothing to draw."""
    look = looks(analysis.labels)
    written: list[list[Path]] = []
    for section, name in zip(analysis.sections, file_names(analysis.sections), strict=True):
        written.append([])
        if section.no_values:
            continue
        (out / "figures").mkdir(parents=True, exist_ok=True)
        with styled(name):
            figure = rd_figure(section, look, legend=True)
            for form in FORMATS:
                path = out / "figures" / f"{name}.{form}"
                figure.savefig(path, format=form, metadata=_metadata(form))
                written[-1].append(path)
    return written


def inline_svg(section: Section, look: Mapping[str, Look], name: str) -> str:
    """The section's figure without legend as SVG text; sizes are kept in its viewBox only."""
    text = StringIO()
    with styled(name):
        figure = rd_figure(section, look, legend=False)
        figure.savefig(text, format="svg", transparent=True, metadata=_metadata("svg"))
    return text.getvalue()


def rd_figure(section: Section, look: Mapping[str, Look], legend: bool) -> Figure:
    """One section's curves: bpp across, the metric up. Call it within `styled`."""
    figure = Figure(figsize=PAPER if legend else INLINE)
    FigureCanvasAgg(figure)
    axes = figure.add_axes(_axes_box(figure))
    for published in section.published:
        axes.plot(published.curve.bpp, published.curve.value, color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)),
                  zorder=1.5, label=printable(published.reference.title))
    scale = 1.0 if len(section.drawable) <= CROWDED else 0.7
    for k, curve in enumerate(section.drawable):
        style = look[curve.label]
        axes.plot(curve.bpp[curve.usable], curve.value[curve.usable], color=style.colour, marker=style.marker,
                  linestyle=style.dashes, linewidth=scale * mpl.rcParams["lines.linewidth"],
                  markersize=scale * mpl.rcParams["lines.markersize"], zorder=2.5 - 0.001 * k,
                  label=printable(curve.label))
    _rate_axis(axes, section)
    axes.set_ylabel(section.metric.display.label)
    axes.margins(y=0.04)
    if section.published and section.drawable:
        _keep_to_ours(axes, section)
    _mark_lossless(axes, section)
    curves = {printable(c.label): np.column_stack([c.bpp[c.usable], c.value[c.usable]]) for c in section.drawable}
    colours = {printable(label): style.colour for label, style in look.items()}
    if place_labels(axes, curves, colours) and not section.published:
        return figure
    if legend:
        _legend(figure, axes, section)
    return figure


def lossless_in_range(section: Section) -> list[tuple[str, float]]:
    """The lossless codecs whose mean bpp lies within the figure, which shows them by a vertical line."""
    top = max((float(np.nanmax(c.bpp[c.usable])) for c in section.drawable), default=0.0)
    return [(item.label, item.bpp) for item in section.lossless if item.bpp is not None and item.bpp <= 1.05 * top]


def is_log(curves: Sequence[Curve]) -> bool:
    """Whether the rate axis is logarithmic; see `LOG_FROM`."""
    rates = np.concatenate([curve.bpp[curve.usable] for curve in curves]) if curves else np.array([1.0])
    return bool(rates.max() / rates.min() >= LOG_FROM)


def _rate_axis(axes: Any, section: Section) -> None:
    if is_log(section.drawable):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=30))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("Rate (bits per pixel, logarithmic)")
    else:
        axes.set_xlabel("Rate (bits per pixel)")
        axes.set_xlim(left=0)


def _keep_to_ours(axes: Any, section: Section) -> None:
    """The axes show where our curves are; published ones may run out of sight."""
    rates = np.concatenate([c.bpp[c.usable] for c in section.drawable])
    values = np.concatenate([c.value[c.usable] for c in section.drawable])
    pad = 0.05 * (np.ptp(values) or 1.0)
    axes.set_ylim(values.min() - pad, values.max() + pad)
    log = axes.get_xscale() == "log"
    axes.set_xlim(rates.min() / 1.1 if log else 0, rates.max() * (1.1 if log else 1.04))


def _mark_lossless(axes: Any, section: Section) -> None:
    for label, bpp in lossless_in_range(section):
        axes.axvline(bpp, color=FAINT, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1.4)
        axes.annotate(f"{printable(label)} (lossless)", (bpp, 0.02), xycoords=("data", "axes fraction"), rotation=90,
                      ha="right", va="bottom", fontsize=7.5, color=INK)


def _legend(figure: Figure, axes: Any, section: Section) -> None:
    """A legend beside the axes, in the order in which the curves lie at 1 bpp; below where it is too wide."""
    handles, names = axes.get_legend_handles_labels()
    rank = {printable(c.label): k for k, c in enumerate(sorted(section.drawable, key=_height, reverse=True))}
    order = sorted(range(len(names)), key=lambda k: rank.get(names[k], len(names)))
    handles, names = [handles[k] for k in order], [names[k] for k in order]
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    beside = figure.legend(handles, names, loc="center right", bbox_to_anchor=(1.0, 0.54))
    size = beside.get_window_extent(renderer)
    width, height = figure.bbox.width, figure.bbox.height
    if size.width <= LEGEND_COLUMN_MAX * width and size.height <= height:
        axes.set_position(_axes_box(figure, right=size.width / figure.dpi))
        return
    beside.remove()
    below = figure.legend(handles, names, loc="lower center", ncols=1 if size.width > width / 2 else 2)
    more = below.get_window_extent(renderer).height / figure.dpi
    figure.set_figheight(figure.get_figheight() + more)
    axes.set_position(_axes_box(figure, below=more))


def _axes_box(figure: Figure, right: float = 0.0, below: float = 0.0) -> tuple[float, float, float, float]:
    """The axes in figure fractions, `MARGINS` from its edges and as many inches more to the right and below."""
    width, height = figure.get_size_inches()
    left, low, end, top = MARGINS
    return (left / width, (low + below) / height, (width - left - end - right) / width,
            (height - low - top - below) / height)


def _height(curve: Curve) -> float:
    """The curve's value at 1 bpp, or at its end next to that."""
    value, rate = curve.value[curve.usable], np.log2(curve.bpp[curve.usable])
    return float(np.interp(0.0, rate, value))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "x"


def _metadata(form: str) -> dict[str, Any]:
    """No dates in files: the same results give the same files."""
    known: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "benchbox"}, "pdf": {"CreationDate": None, "Creator": "benchbox"},
        "png": {"Software": "benchbox"},
    }  # fmt: skip
    return known[form]
