"""Writes a run's reports, and publishes it as a folder that others can read and check."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchbox.codec import OptionsModel, validated_options
from benchbox.errors import BenchboxError, PluginError, UsageError
from benchbox.files import same_file, whole_folder
from benchbox.guard import guarded
from benchbox.registry import Registry
from benchbox.report import Report, Results
from benchbox.results.load import load_results
from benchbox.results.place import PUBLISHED, RunPlace, is_published
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
        StoreError: `folder` cannot be written (a full disk); each report's files are all there or stay what they were.
    """
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    files: list[Path] = []
    faults = []
    for report, given in zip(reports, settings, strict=True):
        try:
            with whole_folder(folder) as part:
                made = [file.relative_to(part) for file in _render(results, report, given, part)]
        except BenchboxError as error:  # a report at fault costs itself and not the others
            if isinstance(error.__cause__, OSError):
                raise
            faults.append(str(error))
        else:
            files += [folder / file for file in made]
    if faults:
        written = f"; written all the same: {shown(files[0])}" if files else ""
        raise PluginError(f"report {'; report '.join(faults)}{written}")
    return files


def _render(results: Results, report: Report, options: OptionsModel, folder: Path) -> list[Path]:
    own = replace(results, frame=results.frame.copy(deep=False))  # no report sees another's changes
    try:
        return _checked(report, guarded(report.render, own, options, folder), folder)
    except PluginError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
            raise error.__cause__ from None  # a full disk is not the report's fault
        raise


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

    Raises:
        UsageError: `folder` is the run's own, another run's, or one that the workspace uses itself.
        StoreError: `folder` cannot be written (a full disk); it stays what it was.
    """
    if any(same_file(folder, taken) for taken in place.taken) or _is_run(folder):
        raise UsageError(f"{folder}: belongs to the workspace; choose another --output")
    results = load_results(place, registry, literature)
    texts = {name: (place.folder / name).read_text(encoding="utf-8") for name in ("settings.json", "environment.json")}
    reports = [registry.reports[name] for name in REPORTS if name in registry.reports]
    with whole_folder(folder) as part:
        results.frame.to_parquet(part / PUBLISHED, index=False)
        for name, text in {"plan.toml": results.plan, **texts}.items():
            (part / name).write_text(text, encoding="utf-8")
        files = [file for report in reports for file in _render(results, report, report.Options(), part)]
    return [folder / file.relative_to(part) for file in files]


def _is_run(folder: Path) -> bool:
    """Whether `folder` is that of a run in a workspace, whose plan and settings a published one would replace."""
    return (folder / "settings.json").exists() and not is_published(folder)
