"""Which figures a run has, and their files: for the page one figure a section, for papers all, in two widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import matplotlib as mpl

from benchbox_reports.analysis import Analysis, Section
from benchbox_reports.figures.rd import is_log, lossless_in_range, rd_figure, rd_inline
from benchbox_reports.figures.sheet import PAGE, metadata, save, slug, styled
from benchbox_reports.look import Look, looks

__all__ = ["FORMATS", "file_names", "inline_svg", "is_log", "lossless_in_range", "write_figures"]

FORMATS = ("svg", "pdf", "png")


def file_names(sections: Sequence[Section], kind: str = "rd") -> list[str]:
    """A file name without suffix for each section: ``rd-kodak-psnr``; safe on every system, all different."""
    names: list[str] = []
    for section in sections:
        name = "-".join([kind, *(slug(part) for part in (section.dataset, section.metric.id))])
        while name in names:
            name += "x"
        names.append(name)
    return names


def write_figures(analysis: Analysis, out: Path) -> list[list[Path]]:
    """Write every section's curves, page-wide, in each of `FORMATS` below ``figures/``; the files by section, none
    where there is nothing to draw."""
    look = looks(analysis.labels)
    written: list[list[Path]] = []
    for section, name in zip(analysis.sections, file_names(analysis.sections), strict=True):
        written.append([])
        if section.no_values:
            continue
        (out / "figures").mkdir(parents=True, exist_ok=True)
        with styled(name):
            figure = rd_figure(section, look, PAGE)
            written[-1] += [save(figure, out / "figures" / f"{name}.{form}") for form in FORMATS]
    return written


def inline_svg(section: Section, look: Mapping[str, Look], name: str) -> str:
    """The section's figure without legend as SVG text; sizes are kept in its viewBox only."""
    text = StringIO()
    with styled(name):
        mpl.rcParams["font.size"] = 9  # on a screen, not in a column
        rd_inline(section, look).savefig(text, format="svg", transparent=True, metadata=metadata("svg"))
    return text.getvalue()
