"""The suite from Python: `run` does what the command does, `load` gives its results as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox import registry as plugins
from benchbox.jobs import resolve
from benchbox.plan import Plan, settle
from benchbox.progress import Progress, Silent
from benchbox.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def load(run: str | Path, workspace: str | Path = "runs") -> pd.DataFrame:
    """The results of a run, one row an operating point and picture.

    Args:
        run: name of the run, or its folder, e.g. ``"runs/demo"``, or a published folder.
        workspace: the folder that holds the runs.

    Returns:
        A DataFrame with the columns that ``benchbox list columns`` shows (dtypes and units there) and one a metric.

    Raises:
        StoreError: there is no such run; names those there are.
    """
    from benchbox.results import find_run, load_frame

    return load_frame(find_run(run, Workspace.at(workspace)), plugins.load())[0]


def run(
    plan: str | Path | Mapping[str, Any] | Plan | None = None,
    *,
    workspace: str | Path = "runs",
    workers: int | None = None,
    reports: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure what a plan asks for and the workspace lacks, write its reports, and return the results.

    Args:
        plan: a plan file, a mapping of the same shape, a `Plan`, or None for the demo.
        workspace: the folder that holds the runs; made if it is not there.
        workers: processes to use; default: one a core.
        reports: report ids to write below ``runs/NAME/report``; default: those that mark themselves default.
        progress: hears of each step; default: silent.

    Returns:
        The frame of `load`, from which the reports were made.
    """
    from benchbox.publishing import chosen_reports, write_reports
    from benchbox.results import find_run, load_results
    from benchbox.runner import execute, local_executor

    registry = plugins.load()
    wanted = chosen_reports(registry, reports)
    settled, base = settle(plan)
    resolved = resolve(settled, registry, base)
    place = Workspace.at(workspace)
    execute(resolved, registry, place, local_executor(resolved.plan, place, workers), progress or Silent())
    results = load_results(find_run(settled.name, place), registry)
    write_reports(results, wanted, place.run_folder(settled.name) / "report")
    return results.frame


def compare(run: str | Path, anchor: str = "jpeg", workspace: str | Path = "runs") -> pd.DataFrame:
    """BD-rates of a run against one of its codecs.

    Args:
        run: name of the run, or its folder.
        anchor: label to compare against.
        workspace: the folder that holds the runs.

    Returns:
        One row for each data set, metric and label: `bd_rate` (percent of bits at equal metric, on the mean curves,
        negative: fewer), `pictures` (the same as mean over pictures), its 95 % interval `low` .. `high`, `n` pictures,
        `overlap` (0..1) and `reason` where a value is null.

    Raises:
        UnknownIdError: the run has no codec of that label with a curve.
    """
    from benchbox.comparison import compare_frame
    from benchbox.results import find_run, load_frame

    frame, metrics = load_frame(find_run(run, Workspace.at(workspace)), plugins.load())
    return compare_frame(frame, metrics, anchor)
