"""Style, widths and files that all figures share. Files hold no date: the same figure gives the same bytes."""

from __future__ import annotations

import logging
import os
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchbox_reports.figures.fonts import families

STYLE = Path(__file__).parents[1] / "benchbox.mplstyle"
COLUMN, PAGE = 3.5, 7.16
"""Width in inches of one column and of both, in IEEE's transactions and conferences."""
NARROW = 4.6
"""Inches up to which a figure is for a column: a legend beside its axes would leave too little of them."""
WRAP = 34
"""Most characters of a name on one line of a legend or axis."""


@contextmanager
def styled(name: str, font: str | None = None) -> Iterator[None]:
    """Matplotlib with our style, then what the file in the variable MATPLOTLIBRC sets, then the family `font`; the ids
    in an SVG depend on `name` only."""
    with mpl.rc_context(fname=STYLE), warnings.catch_warnings(), _quiet_fonts():
        own = _own_settings()
        mpl.rcParams.update(own)
        if font is not None or "font.family" not in own:
            mpl.rcParams["font.family"] = families(font)
        mpl.rcParams["svg.hashsalt"] = name
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # such a label is drawn with boxes
        yield


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    """Without matplotlib's lines on the console about a fallback font that has no bold face and is drawn in another."""
    log = logging.getLogger("matplotlib.font_manager")
    log.addFilter(_is_not_of_weight)
    try:
        yield
    finally:
        log.removeFilter(_is_not_of_weight)


def _is_not_of_weight(record: logging.LogRecord) -> bool:
    return "Failed to find font weight" not in record.getMessage()


def _own_settings() -> Any:
    """The settings in the file that the variable MATPLOTLIBRC names, without those of backends."""
    place = Path(os.environ.get("MATPLOTLIBRC", ""))
    file = next((path for path in (place, place / "matplotlibrc") if str(place) != "." and path.is_file()), None)
    if file is None:
        return {}
    found = mpl.rc_params_from_file(file, use_default_template=False)
    return {name: value for name, value in found.items() if "backend" not in name}


def narrow(width: float) -> bool:
    """Whether a figure `width` inches wide is for a column."""
    return width <= NARROW


def blank(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, whose layout adapts until `freeze`. It does not use pyplot, so it needs
    no global state and no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def settle(figure: Figure) -> None:
    """Lay out the axes; what is then placed by pixels stays in place."""
    figure.draw_without_rendering()


def freeze(figure: Figure) -> None:
    """Lay out the axes for the last time."""
    settle(figure)
    figure.set_layout_engine("none")


def save(figure: Figure, path: Path) -> Path:
    """Write the figure in the format of `path`'s suffix; the same figure gives the same file."""
    form = path.suffix[1:]
    figure.savefig(path, format=form, metadata=metadata(form))
    return path


def metadata(form: str) -> dict[str, Any]:
    """The metadata of a file of format `form`, without a date."""
    known: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "benchbox"}, "pdf": {"CreationDate": None, "Creator": "benchbox"},
        "png": {"Software": "benchbox"},
    }  # fmt: skip
    return known[form]


def beyond(figure: Figure) -> list[str]:
    """The names of the lines of which a part lies beyond the figure's axes."""
    found: list[str] = []
    for axes in figure.axes:
        (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
        for line in axes.get_lines():
            x, y = np.asarray(line.get_xydata(), dtype=np.float64).T
            pad = [1e-6 * abs(high - low) for low, high in ((x0, x1), (y0, y1))]
            out = ((x < min(x0, x1) - pad[0]) | (x > max(x0, x1) + pad[0])
                   | (y < min(y0, y1) - pad[1]) | (y > max(y0, y1) + pad[1]))
            if out.any() and not str(line.get_label()).startswith("_"):
                found.append(str(line.get_label()))
    return list(dict.fromkeys(found))


def printable(text: str) -> str:
    """`text` with control characters and lone surrogates replaced, which no font has and XML forbids."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def wrapped(text: str, width: int = WRAP) -> str:
    """`printable` text in lines of at most `width` characters, broken at spaces where it has them, else after a sign
    between the words of an option or id (``progressive=|yes``), else inside a word."""
    words = (part for word in printable(text).split() for part in _parts(word, width))
    lines: list[str] = []
    glue = False  # the part before ends inside a word
    for part, ends in words:
        room = width - len(part) - (0 if glue else 1)
        if lines and len(lines[-1]) <= room:
            lines[-1] += part if glue else f" {part}"
        else:
            lines.append(part)
        glue = not ends
    return "\n".join(lines) or " "


def _parts(word: str, width: int) -> Iterator[tuple[str, bool]]:
    """The parts of a word that may stand on lines of their own, none longer than `width`, and whether each ends it."""
    found = [word]
    if len(word) > width:
        found = [chunk for part in re.findall(r"[^-=_/,:;.]*[-=_/,:;.]+|[^-=_/,:;.]+", word)
                 for chunk in textwrap.wrap(part, width, break_on_hyphens=False)]
    for k, part in enumerate(found, 1):
        yield part, k == len(found)


def slug(text: str) -> str:
    """`text` as part of a file name, safe on every system."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "x"
