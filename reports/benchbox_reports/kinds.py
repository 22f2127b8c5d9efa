"""The kinds of report, and their options. pandas, matplotlib and jinja2 are imported only when one is rendered."""


from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from benchbox import OptionsModel, Report, Results


def _interpolation(name: str) -> str:
    """Check the name of an interpolation when one is given: the table of them brings scipy, which loading must not."""
    from benchbox.curves import INTERPOLATIONS

    if name not in INTERPOLATIONS:
        raise ValueError(f"no such interpolation; take one of {', '.join(INTERPOLATIONS)}")
    return name


class ReportOptions(OptionsModel):
    """Options of all our reports: one set, so that one command can write several reports."""

    anchor: str | None = Field(None, description="label, codec or published curve to compare with; default: jpeg")
    title: str | None = Field(None, description="title of the page; default: the run's name")
    pictures: int = Field(3, ge=1, le=24, description="visual: how many pictures are shown")
    crop: str = Field("", description="visual: part of the crop grid: PICTURE,X,Y,WIDTH,HEIGHT; default: worst part")
    codecs: str = Field("", description="visual: codecs of the crop grid, 'A;B'; default: the anchor and the best two")
    bpp: str = Field("0.1,0.25,0.5,1.0", description="visual: target rates, bits per pixel")
    single_file: bool = Field(False, description="page: pictures, tables and figures inside the one HTML file")
    thumbnails: int = Field(120, ge=0, le=1000, description="page: how many pictures have a thumbnail")
    method: Annotated[str, AfterValidator(_interpolation)] = Field("pchip", description="interpolation of BD-rates")


class Page(Report):
    """Writes ``index.html`` with everything inline, ``figures/`` and ``tables/``."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_reports.page import render

        return render(results, options, out)


class Figures(Report):
    """Writes ``figures/``: curves, BD-rates, savings and, after timing runs, speeds, for each data set and metric; one
    column and one page wide, as SVG, PDF and PNG."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_reports.analysis import analyse
        from benchbox_reports.figures import write_paper_figures

        return write_paper_figures(analyse(results, options.anchor, options.method), out)

    def plot(self, results: Results, dataset: str, metric: str, axes: Any) -> bool:
        if axes is not None:
            from benchbox_reports.figures.axes import plot

            plot(results, dataset, metric, axes)
        return True


class Tables(Report):
    """Writes ``tables/``: every number of the page as CSV; BD-rates, points and speeds as Markdown and LaTeX too."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_reports.analysis import analyse
        from benchbox_reports.tables import write_tables

        return write_tables(analyse(results, options.anchor, options.method), out)


class Visual(Report):
    """Writes ``visual.html`` and ``visual/``: decoded pictures at matched rate, and error maps."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_reports.visual import render

        return render(results, options, out)
