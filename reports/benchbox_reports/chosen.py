"""The looks of a report's curves with what its author chose: families, and colours of single codecs."""

from __future__ import annotations

from dataclasses import replace

from benchbox_reports.analysis import Analysis
from benchbox_reports.look import Look, looks

LIGHTER = 0.45
"""Share of white in an author's colour on the page's dark background."""


def chosen_looks(analysis: Analysis) -> dict[str, Look]:
    """Label or name of a published curve -> its look, as the run's appearance wants it."""
    asked = analysis.results.appearance
    own = {asked.labels.get(label, label): label for label in analysis.codecs}  # a new name changes no look
    families = {asked.labels.get(label, label): family for label, family in asked.families.items()}
    found = looks({label: analysis.codecs[shown] for label, shown in own.items()}, analysis.published, families)
    return {own.get(label, label): _coloured(look, asked.colours.get(own.get(label, label)))
            for label, look in found.items()}


def _coloured(look: Look, colour: str | None) -> Look:
    if colour is None:
        return look
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    dark = "#" + "".join(f"{round(part + LIGHTER * (255 - part)):02x}" for part in parts)
    return replace(look, colour=colour.lower(), dark=dark)
