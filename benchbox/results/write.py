"""A run written out: its reports, and a folder that others can take away, look at and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchbox.codec import OptionsModel, validated_options
from benchbox.errors import UsageError
from benchbox.files import same_file, whole_folder
from benchbox.registry import Registry
from benchbox.report import Report, Results
from benchbox.results.load import load_results
from benchbox.results.place import PUBLISHED, RunPlace, is_published

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
        StoreError: `folder` cannot be written (a full disk); it stays what it was.
    """
    if not reports:
        return []
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    with whole_folder(folder) as part:
        files = _render(results, list(zip(reports, settings, strict=True)), part)
    return [folder / file.relative_to(part) for file in files]


def _render(results: Results, reports: Sequence[tuple[Report, OptionsModel]], folder: Path) -> list[Path]:
    files: list[Path] = []
    for report, options in reports:
        own = replace(results, frame=results.frame.copy(deep=False))  # copy on write: none sees another's changes
        files += report.render(own, options, folder)
    return files


def publish(place: RunPlace, registry: Registry, folder: Path, literature: Sequence[str] = ()) -> list[Path]:
    """Write results (Parquet), plan, settings, machine and reports of a run into `folder`; the page is first.

    `folder` then stands for the run: `benchbox.load`, ``benchbox report`` and `check` take it.

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
        files = _render(results, [(report, report.Options()) for report in reports], part)
    return [folder / file.relative_to(part) for file in files]


def _is_run(folder: Path) -> bool:
    """Whether `folder` is that of a run in a workspace, whose plan and settings a published one would replace."""
    return (folder / "settings.json").exists() and not is_published(folder)
