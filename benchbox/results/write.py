"""Writes a run's reports, and publishes it as a folder that others can read and check."""

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
"""Reports of a published folder, as far as their plugins are installed."""


def chosen_reports(registry: Registry, names: Sequence[str] | None) -> list[Report]:
    """The reports with those ids; for None, those whose `default` is true."""
    if names is None:
        return [report for report in registry.reports.values() if report.default]
    return [registry.report(name) for name in names]


def write_reports(
    results: Results, reports: Sequence[Report], folder: Path, options: Mapping[str, Any] | None = None
) -> list[Path]:
    """Render `reports` below `folder`, each with `options`; returns the files, the one to open first at the front.

    Raises:
        OptionError: a report has no such option; nothing is written.
    """
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    files: list[Path] = []
    if reports:
        folder.mkdir(parents=True, exist_ok=True)
    for report, given in zip(reports, settings, strict=True):
        own = replace(results, frame=results.frame.copy(deep=False))  # no report sees another's changes
        files += report.render(own, given, folder)
    return files


def publish(place: RunPlace, registry: Registry, folder: Path, literature: Sequence[str] = ()) -> list[Path]:
    """Write results (Parquet), plan, settings, machine and reports of a run to `folder`; returns the reports' files.

    `benchbox.load`, ``benchbox report`` and `check` take `folder` in place of a run's name.
    """
    results = load_results(place, registry, literature)
    folder.mkdir(parents=True, exist_ok=True)
    results.frame.to_parquet(folder / PUBLISHED, index=False)
    texts = {name: (place.folder / name).read_text(encoding="utf-8") for name in ("settings.json", "environment.json")}
    for name, text in {"plan.toml": results.plan, **texts}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return write_reports(results, [registry.reports[name] for name in REPORTS if name in registry.reports], folder)
