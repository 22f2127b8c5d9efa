"""benchbox_reports: the page, figures, tables and visual comparison of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import Report


@hookimpl
def benchbox_reports() -> list[Report]:
    """The bundled reports."""
    from benchbox_reports.kinds import Figures, Page, ReportOptions, Tables, Visual

    return [
        Page("page", "one page with figures and tables, opens offline", ReportOptions, default=True),
        Figures("figures", "rate-distortion figures for papers: PDF, SVG, PNG", ReportOptions),
        Visual("visual", "decoded pictures side by side at matched rate, opens offline", ReportOptions),
        Tables("tables", "BD-rates and RD points: CSV, Markdown, LaTeX", ReportOptions),
    ]
