"""Writes a run's reports, and publishes it as a folder that others can read and check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchbox.codec import validated_options
from benchbox.errors import BenchboxError, PluginError
from benchbox.guard import guarded
from benchbox.registry import Registry
from benchbox.report import Report, Results
from benchbox.results.load import load_results
from benchbox.results.place import PUBLISHED, RunPlace
from benchbox.store import shown

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
        PluginError: a report failed or returned something other than its files; the others are written all the same.
    """
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    files: list[Path] = []
    if reports:
        folder.mkdir(parents=True, exist_ok=True)
    faults = []
    for report, given in zip(reports, settings, strict=True):
        own = replace(results, frame=results.frame.copy(deep=False))  # no report sees another's changes
        try:
            files += _checked(report, guarded(report.render, own, given, folder), folder)
        except BenchboxError as error:  # a report at fault costs itself and not the others
            faults.append(str(error))
    if faults:
        written = f"; written all the same: {shown(files[0])}" if files else ""
        raise PluginError(f"report {'; report '.join(faults)}{written}")
    return files


def _checked(report: Report, files: Any, folder: Path) -> list[Path]:
    """The files that `report` says it wrote, if they lie below `folder`."""
    if not isinstance(files, list | tuple) or not all(isinstance(file, Path) for file in files):
        raise PluginError(f"{report.id}: render gave {type(files).__name__}; it must give a list of paths")
    for file in files:
        if not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
            raise PluginError(f"{report.id}: render names {file}, which is no file below {folder}; write there")
    return list(files)


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
