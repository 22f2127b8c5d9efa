"""A run in a workspace or a published folder as reports get it, and reports written of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbox import registry
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results import chosen_reports, find_run, load_results
from benchbox.results import write_reports as write
from benchbox.store import Workspace


def stored_results(
    run: str | Path, workspace: Path, known: Registry | None = None, literature: Sequence[str] = ()
) -> Results:
    """Everything that reports of a run are made from."""
    return load_results(find_run(run, Workspace.at(workspace)), known or registry.load(), literature)


def write_reports(
    results: Results, known: Registry, names: Sequence[str], out: Path, options: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write the reports of those ids below `out`."""
    return write(results, chosen_reports(known, names), out, options)
