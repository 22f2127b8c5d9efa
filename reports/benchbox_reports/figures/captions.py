"""Captions of the figures: how each was made, or why it could not be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchbox_reports.analysis import Section
from benchbox_reports.markup import markdown_text
from benchbox_reports.measure import rank
from benchbox_reports.pareto import DrawnSpeeds
from benchbox_reports.wording import curve_note, how_made

_NO_COMPARISON = "Not drawn: no codec can be compared with the anchor."


def section_captions(section: Section, drawn: Mapping[str, bool], names: Mapping[str, str], method: str,
                     speeds: DrawnSpeeds, left_out: Sequence[str] = ()) -> str:  # fmt: skip
    """One section's captions in Markdown; `drawn` and `names` by kind of figure (``rd``, ``bd``, ...); `left_out`: the
    curves that column-wide figures do not show."""
    title = markdown_text(f"{section.metric.title} on {section.dataset}")
    if section.no_values:
        return f"## {title}\n\nNothing is drawn: {markdown_text(section.no_values)}.\n"
    texts = _texts(section, drawn, method, speeds)
    if left_out:
        few = (f" The column-wide figure shows the anchor, the best of each family and the best published curves; it "
               f"leaves out {'; '.join(left_out)}. The report's option --codecs chooses others.")
        texts |= {kind: texts[kind] + few for kind in ("rd", "savings") if drawn[kind]}
    parts = [f"**{names[kind]}**: {markdown_text(texts[kind])}\n" for kind in drawn]
    return "\n".join([f"## {title}\n", *parts])


def _texts(section: Section, drawn: Mapping[str, bool], method: str, speeds: DrawnSpeeds) -> dict[str, str]:
    metric, against = section.metric.title, f"against {section.anchor}"
    published = [f"{p.curve.label} ({p.reference.source})" for p in section.published]
    lying = f" Thin and dashed, not measured here: {'; '.join(published)}." if published else ""
    scale = f" {metric} in decibels: −10 log10(1 − mean)." if section.metric.display.transform == "db" else ""
    ranking, measured = rank(section), rank(section, {row.label for row in section.comparisons if not row.published})
    intervals = ranking.by_pictures and any(row.pictures.interval is not None for _, row in ranking.rows)
    means = f"{ranking.name}{', with 95 % intervals' if intervals else ''}"
    hatched = " Hatched: given as means, not of this run." if published else ""
    without = "".join(f" {label} has none: {why}." for label, why in ranking.missing)
    made = how_made(section, method)
    return {
        "rd": f"{metric} against rate. {curve_note(section)}{scale}{lying}",
        "bd": f"BD-rate {against}, {means}, all bars by this one measure.{hatched}{without} How: {made}" if drawn["bd"]
        else _NO_COMPARISON,
        "savings": f"Rate {against} at equal {metric}, of the mean curves, over the range that both cover; "
        "BD-rate is its mean (as log ratios), by the same interpolation. Markers: operating points."
        f"{lying}" if drawn["savings"] else _NO_COMPARISON,
        "pareto": f"BD-rate {against} ({measured.name}) against speed; bars between the quartiles; dashed: the "
        f"Pareto front. {' '.join(speeds.notes)}" if drawn["pareto"] else _why_no_speed(speeds),
    }


def _why_no_speed(speeds: DrawnSpeeds) -> str:
    if any(speeds.sides.values()):
        return "Not drawn: no codec has both a speed and a BD-rate."
    notes = " ".join(speeds.notes)
    return notes if notes.startswith("Not drawn") else f"Not drawn. {notes}"
