"""Draws the curves of a run into Axes of the user's, in the style of our figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchbox.report import Results
from benchbox_reports.analysis import analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.figures.rd import draw_section
from benchbox_reports.figures.sheet import styled
from benchbox_reports.look import FAINT, RULE


def plot(results: Results, dataset: str, metric: str, axes: Any) -> None:
    """Draw the mean curves of `results` on `dataset` by the metric `metric`, with a legend; for `benchbox.plot`."""
    only = replace(results, metrics=[m for m in results.metrics if m.id == metric],
                   frame=results.frame[(results.frame["dataset"] == dataset).to_numpy(dtype=bool)])
    analysis = analyse(only)
    (section,) = analysis.sections
    appearance = results.appearance
    with styled("plot", appearance.font):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=FAINT, labelcolor="#1c1d20")
        axes.grid(True, color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        draw_section(axes, section, chosen_looks(analysis), appearance)
        if section.drawable or section.published:
            axes.legend(loc="lower right" if section.metric.better == "higher" else "upper right", frameon=False)
