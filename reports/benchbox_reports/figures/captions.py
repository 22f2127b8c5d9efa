"""Captions of the figures: how each was made, or why it could not be drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from benchbox_reports.analysis import Section
from benchbox_reports.markup import markdown_text
from benchbox_reports.measure import Ranking, by_pictures, measure_name, rankings
from benchbox_reports.pareto import DrawnSpeeds
from benchbox_reports.wording import curve_note, given_as_means, how_made

_NO_COMPARISON = "Not drawn: no codec can be compared with the anchor."


def section_captions(section: Section, drawn: Mapping[str, Sequence[str]], names: Mapping[str, str], method: str,
                     speeds: DrawnSpeeds, left_out: Sequence[str] = ()) -> str:  # fmt: skip
    """One section's captions in Markdown.

    Args:
        section: the section.
        drawn: kind of figure (``rd``, ``bd``, ...) -> the curves that leave its axes; only the kinds that are drawn.
        names: kind of figure -> name of its files; all kinds.
        method: interpolation of BD-rates.
        speeds: the speeds of the section's data set.
        left_out: the curves that column-wide figures do not show.
    """
    title = markdown_text(f"{section.metric.title} on {section.dataset}")
    if section.no_values:
        return f"## {title}\n\nNothing is drawn: {markdown_text(section.no_values)}.\n"
    texts = _texts(section, drawn, method, speeds)
    if left_out:
        given = given_as_means(p.curve.label for p in section.published).lower()
        few = (f" The column-wide figure shows the anchor, the best of each family and the best {given}; it "
               f"leaves out {'; '.join(left_out)}. The report's option --codecs chooses others.")
        texts |= {kind: texts[kind] + few for kind in ("rd", "savings") if kind in drawn}
    texts |= {kind: f"{texts[kind]} Beyond the axes run on: {'; '.join(cut)}." for kind, cut in drawn.items() if cut}
    parts = [f"**{name}**: {markdown_text(texts[kind])}\n" for kind, name in names.items()]
    return "\n".join([f"## {title}\n", *parts])


def _texts(section: Section, drawn: Collection[str], method: str, speeds: DrawnSpeeds) -> dict[str, str]:
    metric, against = section.metric.title, f"against {section.anchor}"
    published = [f"{p.curve.label} ({p.reference.source})" for p in section.published]
    lying = f" Thin and dashed, not measured here: {'; '.join(published)}." if published else ""
    scale = f" {metric} in decibels: −10 log10(1 − mean)." if section.metric.display.transform == "db" else ""
    ranked, measure = rankings(section), measure_name(by_pictures(section))
    without = "".join(f" {label} has none: {why}." for ranking in ranked for label, why in ranking.missing)
    made = how_made(section, method)
    front = f"Pareto front.{_off_front(ranked, speeds)} {' '.join(speeds.notes)}"
    return {
        "rd": f"{metric} against rate. {curve_note(section)}{scale}{lying}",
        "bd": f"BD-rate {against}. {_bars(section, ranked)}{without} How: {made}" if "bd" in drawn else _NO_COMPARISON,
        "savings": f"Rate {against} at equal {metric}, of the mean curves, over the range that both cover; "
        "BD-rate is its mean (as log ratios), by the same interpolation. Markers: operating points."
        f"{lying}" if "savings" in drawn else _NO_COMPARISON,
        "pareto": f"BD-rate {against} ({measure}) against speed; bars between the quartiles; dashed: the "
        f"{front}" if "pareto" in drawn else _why_no_speed(speeds),
    }


def _off_front(ranked: Sequence[Ranking], speeds: DrawnSpeeds) -> str:
    """The codecs that a plot of speeds leaves out, since their BD-rates are over other pictures."""
    timed = {label for of in speeds.sides.values() for label in of}
    out = [f"{label} ({one.few(label)})" for one in ranked for label in sorted(one.apart & timed)]
    return f" Not drawn, as over other pictures than most: {', '.join(out)}." if out else ""


def _bars(section: Section, ranked: Sequence[Ranking]) -> str:
    """What the bars show, and by which measure."""
    first, *rest = ranked
    intervals = any(row.pictures.interval for _, row in first.rows) and first.by_pictures
    said = f"Bars: {first.name}{', with 95 % intervals' if intervals else ''}."
    if first.apart:
        said += f" Below, over other pictures and so not ranked: {', '.join(first.unranked)}."
    if rest:
        return (f"{said} Hatched, in axes of their own: given as means, not of this run, by mean curves; diamonds: the "
                "measured codecs by that measure.")
    return said + (" Hatched: given as means, not of this run." if section.published else "")


def _why_no_speed(speeds: DrawnSpeeds) -> str:
    if any(speeds.sides.values()):
        return "Not drawn: no codec has both a speed and a BD-rate."
    notes = " ".join(speeds.notes)
    return notes if notes.startswith("Not drawn") else f"Not drawn. {notes}"
