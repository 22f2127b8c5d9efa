"""Style, widths and files that all figures share. Files hold no date: the same figure gives the same bytes."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STYLE = Path(__file__).parents[1] / "benchbox.mplstyle"
COLUMN, PAGE = 3.5, 7.16
"""Width in inches of one column and of both, in IEEE's transactions and conferences."""
WRAP = 34
"""Most characters of a name on one line of a legend or axis."""


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Matplotlib with our style; the ids in an SVG depend on `name` only."""
    with mpl.rc_context(fname=STYLE), warnings.catch_warnings():
        mpl.rcParams["svg.hashsalt"] = name
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # such a label is drawn with boxes
        yield


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


def printable(text: str) -> str:
    """`text` with control characters and lone surrogates replaced, which no font has and XML forbids."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def wrapped(text: str, width: int = WRAP) -> str:
    """`printable` text in lines of at most `width` characters, broken at spaces where it has them."""
    return "\n".join(textwrap.wrap(printable(text), width)) or " "


def slug(text: str) -> str:
    """`text` as part of a file name, safe on every system."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "x"
