"""The suite from Python: `run` does what the command does, `load` gives its results as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from benchbox.plan import Plan
    from benchbox.session import Progress


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
    from benchbox import registry
    from benchbox.results import find_run, load_frame
    from benchbox.store import Workspace

    return load_frame(find_run(run, Workspace.at(workspace)), registry.load())[0]


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
    from benchbox import registry
    from benchbox.plan import resolve, settle
    from benchbox.results import chosen_reports, find_run, load_results, write_reports
    from benchbox.session import Silent, execute, local_executor
    from benchbox.store import Workspace

    plugins = registry.load()
    wanted = chosen_reports(plugins, reports)
    settled, base = settle(plan)
    resolved = resolve(settled, plugins, base)
    place = Workspace.at(workspace)
    execute(resolved, plugins, place, local_executor(resolved.plan, place, workers), progress or Silent())
    results = load_results(find_run(settled.name, place), plugins)
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
    from benchbox import registry
    from benchbox.curves import compare_frame
    from benchbox.results import find_run, load_frame
    from benchbox.store import Workspace

    frame, metrics = load_frame(find_run(run, Workspace.at(workspace)), registry.load())
    return compare_frame(frame, metrics, anchor)
