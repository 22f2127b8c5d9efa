"""How much rate each codec saves against the anchor at each quality; BD-rate is the mean of this, as log ratios."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from benchbox.appearance import PLAIN, Appearance
from benchbox.curves import percent
from benchbox_reports.analysis import Section
from benchbox_reports.figures.legends import name_curves
from benchbox_reports.figures.rd import CROWDED, HEIGHT, HEIGHT_COLUMN, HIGHLIGHT, colours, limit, line
from benchbox_reports.figures.sheet import blank, narrow, printable
from benchbox_reports.look import INK, Look

STEPS = 200
"""Points drawn of each line."""
MOST = 100.0
"""Percent more bits than the anchor at which the axis ends, as its label says: a codec that needs more would flatten
all others. The caption names the curves that leave it."""


def savings_figure(
    section: Section, look: Mapping[str, Look], width: float, appearance: Appearance = PLAIN
) -> Figure | None:
    """Draw bits at equal quality relative to the anchor's, in percent (negative: fewer), over the qualities that both
    mean curves cover, `width` inches wide; call it within `styled`. Returns None where nothing can be compared."""
    if section.anchor is None or section.pairs is None:
        return None
    lines = _lines(section)
    if not lines:
        return None
    figure = blank(width, HEIGHT_COLUMN if narrow(width) else HEIGHT)
    axes = figure.subplots()
    thin = 0.7 if len(lines) > CROWDED else 1.0
    published = {p.curve.label for p in section.published}
    for label, points in lines.items():
        axes.plot(points[:, 0], points[:, 1], label=printable(label), markevery=_measured(section, label, points),
                  **line(look[label], HIGHLIGHT if label == appearance.highlight else thin))
    axes.axhline(0, color=INK, linewidth=0.8)
    cut = axes.get_ylim()[1] > MOST and any(float(points[:, 1].min()) < MOST for points in lines.values())
    if cut:
        axes.set_ylim(top=MOST)
    axes.set_xlabel(section.metric.display.label)
    axes.set_ylabel(f"Rate against {printable(section.anchor)} (%{f', up to +{MOST:g}' if cut else ''})")
    limit(axes, appearance, section.metric.id, "saving")
    order = sorted(lines, key=lambda label: float(lines[label][:, 1].mean()))
    ours = {printable(label): points for label, points in lines.items() if label not in published}
    bold = printable(appearance.highlight) if appearance.highlight else None
    name_curves(figure, axes, ours, colours(look), [printable(label) for label in order], bold)
    return figure


def _measured(section: Section, label: str, points: np.ndarray) -> list[int]:
    """Indices of the line's points nearest to operating points, which get a marker; the middle if there are none."""
    curve = next(c for c in (*section.curves, *(p.curve for p in section.published)) if c.label == label)
    inside = (curve.value >= points[:, 0].min()) & (curve.value <= points[:, 0].max())
    nearest = [int(np.argmin(np.abs(points[:, 0] - value))) for value in curve.value[inside]]
    return sorted(set(nearest)) or [len(points) // 2]


def _lines(section: Section) -> dict[str, np.ndarray]:
    """Label -> (P, 2): quality as drawn, rate against the anchor in percent."""
    assert section.pairs is not None
    assert section.anchor is not None
    table, labels = section.pairs.rates, section.pairs.labels
    anchor, out = labels.index(section.anchor), {}
    for row in section.comparisons:
        if row.rate.low is None or row.rate.high is None:
            continue
        values = np.linspace(row.rate.low, row.rate.high, STEPS)
        ratios = table.log_ratios(anchor, labels.index(row.label), values)
        inside = np.isfinite(ratios)
        if inside.any():
            out[row.label] = np.column_stack([values[inside], percent(ratios[inside])])
    return out
