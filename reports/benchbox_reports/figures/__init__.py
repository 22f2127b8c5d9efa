"""The figures of a run as files: for the page one figure for each section, for papers every figure in two widths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchbox.appearance import Appearance
from benchbox_reports.analysis import Analysis, Section
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.figures.bars import bars_figure
from benchbox_reports.figures.captions import section_captions
from benchbox_reports.figures.few import fewer
from benchbox_reports.figures.fonts import note
from benchbox_reports.figures.pareto import pareto_figure
from benchbox_reports.figures.rd import is_log, leaving, lossless_in_range, rd_figure, rd_inline
from benchbox_reports.figures.savings import savings_figure
from benchbox_reports.figures.sheet import beyond, metadata, save, slug, styled
from benchbox_reports.look import Look
from benchbox_reports.markup import markdown_text
from benchbox_reports.pareto import DrawnSpeeds, drawn_speeds
from benchbox_reports.speeds import measure_speeds

__all__ = ["FORMATS", "file_names", "inline_svg", "is_log", "leaving", "lossless_in_range", "write_figures",
           "write_paper_figures"]

Draw = Callable[[Section, float], Figure | None]
"""Draws a figure of a section, some inches wide; gives None where there is nothing to draw."""

FORMATS = ("svg", "pdf", "png")
CURVES = ("rd", "savings")
"""Kinds of figure of which a column-wide one shows few curves."""


def file_names(sections: Sequence[Section], kind: str = "rd") -> list[str]:
    """A file name without suffix for each section, e.g. ``rd-kodak-psnr``: safe on every system, all different."""
    names: list[str] = []
    for section in sections:
        name = "-".join([kind, *(slug(part) for part in (section.dataset, section.metric.id))])
        while name in names:
            name += "x"
        names.append(name)
    return names


def write_figures(analysis: Analysis, out: Path) -> list[list[Path]]:
    """Write every section's curves, page-wide, in each of `FORMATS` below ``out/figures/``.

    Returns:
        The files of each section, none where there is nothing to draw.
    """
    look, appearance = chosen_looks(analysis), analysis.results.appearance
    written: list[list[Path]] = []
    for section, name in zip(analysis.sections, file_names(analysis.sections), strict=True):
        written.append([])
        if section.no_values:
            continue
        (out / "figures").mkdir(parents=True, exist_ok=True)
        with styled(name, appearance.font):
            figure = rd_figure(section, look, appearance.widths[1], appearance)
            written[-1] += [save(figure, out / "figures" / f"{name}.{form}") for form in FORMATS]
    return written


def write_paper_figures(analysis: Analysis, out: Path) -> list[Path]:
    """Write every figure for papers below ``out/figures/``: curves, BD-rates as bars, savings and, where there are
    usable times, speed against BD-rate; each one column (``...-column``) and one page wide, in each of `FORMATS`.

    Returns:
        The files; the first, ``captions.md``, says how each figure was made, or why it was not.
    """
    look, appearance = chosen_looks(analysis), analysis.results.appearance
    speeds = drawn_speeds(analysis.results, measure_speeds(analysis.results, analysis.labels))
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    kinds = _kinds(look, speeds, appearance)
    names = {kind: file_names(analysis.sections, kind) for kind in kinds}
    families = {label: style.family for label, style in look.items() if style.family}
    written, captions = [], []
    for k, section in enumerate(analysis.sections):
        own = {kind: names[kind][k] for kind in kinds}
        few, left_out = (section, []) if appearance.codecs else fewer(section, families, _always(appearance))
        drawn = {kind: ([], []) if section.no_values else _both_widths(
            draw, (section, few if kind in CURVES else section), folder / own[kind], appearance)
            for kind, draw in kinds.items()}
        written += [file for files, _ in drawn.values() for file in files]
        cut = {kind: names for kind, (files, names) in drawn.items() if files}
        captions.append(section_captions(section, cut, own, analysis.method, speeds[section.dataset], left_out))
    said = note(appearance.font, [*look, *(section.dataset for section in analysis.sections)])
    file = folder / "captions.md"
    file.write_text("\n".join(["# Captions\n", *([markdown_text(said) + "\n"] if said else []), *captions]),
                    encoding="utf-8", errors="replace")
    return [file, *written]


def _always(appearance: Appearance) -> list[str]:
    return [appearance.highlight] if appearance.highlight else []


def _both_widths(
    draw: Draw, sections: tuple[Section, Section], stem: Path, appearance: Appearance
) -> tuple[list[Path], list[str]]:
    """Write one figure page-wide, of the first of `sections`, and column-wide, of the second, in each of `FORMATS`;
    returns the files, and the names of what leaves the axes."""
    files: list[Path] = []
    out: list[str] = []
    for suffix, width, section in zip(("", "-column"), reversed(appearance.widths), sections, strict=True):
        name = stem.name + suffix
        with styled(name, appearance.font):
            figure = draw(section, width)
            if figure is not None:
                files += [save(figure, stem.with_name(f"{name}.{form}")) for form in FORMATS]
                out += beyond(figure)
    return files, list(dict.fromkeys(out))


def _kinds(look: Mapping[str, Look], speeds: Mapping[str, DrawnSpeeds], appearance: Appearance) -> dict[str, Draw]:
    """First word of the files' names -> what draws that kind of figure."""
    return {
        "rd": lambda section, width: rd_figure(section, look, width, appearance),
        "bd": lambda section, width: bars_figure(section, look, width, appearance.highlight),
        "savings": lambda section, width: savings_figure(section, look, width, appearance),
        "pareto": lambda section, width: pareto_figure(section, look, speeds[section.dataset], width),
    }


def inline_svg(section: Section, look: Mapping[str, Look], name: str) -> str:
    """The section's curves without legend, as the text of an SVG file."""
    text = StringIO()
    with styled(name):
        mpl.rcParams["font.size"] = 9  # on a screen, not in a column
        rd_inline(section, look).savefig(text, format="svg", transparent=True, metadata=metadata("svg"))
    return text.getvalue()
