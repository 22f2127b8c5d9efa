"""A run written out: its reports, and a folder that others can take away, look at and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchbox.codec import validated_options
from benchbox.registry import Registry
from benchbox.report import Report, Results
from benchbox.results.load import load_results
from benchbox.results.place import PUBLISHED, RunPlace

REPORTS = ("page", "figures", "tables")
"""What a published folder shows, as far as their plugin is there."""


def chosen_reports(registry: Registry, names: Sequence[str] | None) -> list[Report]:
    """The reports of those ids; None: those that mark themselves default."""
    if names is None:
        return [report for report in registry.reports.values() if report.default]
    return [registry.report(name) for name in names]


def write_reports(
    results: Results, reports: Sequence[Report], folder: Path, options: Mapping[str, Any] | None = None
) -> list[Path]:
    """Render `reports` below `folder`, each with `options`; returns the files, the one to open first in front.

    Raises:
        OptionError: a report has no such option; nothing is written.
    """
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    files: list[Path] = []
    if reports:
        folder.mkdir(parents=True, exist_ok=True)
    for report, given in zip(reports, settings, strict=True):
        own = replace(results, frame=results.frame.copy(deep=False))  # copy on write: none sees another's changes
        files += report.render(own, given, folder)
    return files


def publish(place: RunPlace, registry: Registry, folder: Path, literature: Sequence[str] = ()) -> list[Path]:
    """Write results (Parquet), plan, settings, machine and reports of a run into `folder`; the page is first.

    `folder` then stands for the run: `benchbox.load`, ``benchbox report`` and `check` take it.
    """
    results = load_results(place, registry, literature)
    folder.mkdir(parents=True, exist_ok=True)
    results.frame.to_parquet(folder / PUBLISHED, index=False)
    texts = {name: (place.folder / name).read_text(encoding="utf-8") for name in ("settings.json", "environment.json")}
    for name, text in {"plan.toml": results.plan, **texts}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return write_reports(results, [registry.reports[name] for name in REPORTS if name in registry.reports], folder)
