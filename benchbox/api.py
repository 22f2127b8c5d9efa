"""benchbox from Python: `run` measures a plan, `load` returns its results as a DataFrame, `compare` their BD-rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from benchbox.plan import Plan
    from benchbox.session import Progress


def load(run: str | Path, workspace: str | Path = "runs") -> pd.DataFrame:
    """The results of a run: one row for each operating point and picture.

    Args:
        run: name of the run, or its folder, e.g. ``"runs/demo"``, or a published folder.
        workspace: the folder that holds the runs.

    Returns:
        A DataFrame with the columns that ``benchbox list columns`` shows with their dtypes and units, and one float64
        column for each metric.

    Raises:
        StoreError: there is no such run; the message names the runs that exist.
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
    """Measure the points of a plan that the workspace lacks, write the run's reports, and return its results.

    Args:
        plan: a plan file, a mapping of the same shape, a `Plan`, or None for the demo.
        workspace: the folder that holds the runs; created if absent.
        workers: number of worker processes; default: one per core.
        reports: ids of the reports to write below ``runs/NAME/report``; default: those whose `default` is true.
        progress: is called at each step; default: silent.

    Returns:
        The same frame as `load`; the reports were made from it.
    """
    from benchbox.fork_server import ForkServer

    with ForkServer() as server:
        server.start()  # it loads while this process loads and plans
        from benchbox import registry
        from benchbox.plan import resolve, settle
        from benchbox.plugin_file import named_files
        from benchbox.results import chosen_reports, find_run, load_results, write_reports
        from benchbox.session import Silent, execute, local_executor
        from benchbox.store import Workspace

        settled, base = settle(plan)
        plugins = registry.load(files=named_files(settled.plugins, base))
        server.use(plugins.files).start()
        wanted = chosen_reports(plugins, reports)
        resolved = resolve(settled, plugins, base)
        place = Workspace.at(workspace)
        execute(resolved, plugins, place, local_executor(resolved.plan, place, workers, server), progress or Silent())
    results = load_results(find_run(settled.name, place), plugins)
    write_reports(results, wanted, place.run_folder(settled.name) / "report")
    return results.frame


def compare(run: str | Path, anchor: str = "jpeg", workspace: str | Path = "runs") -> pd.DataFrame:
    """BD-rates of all codecs of a run against one of them.

    Args:
        run: name of the run, or its folder.
        anchor: label of the codec to compare against.
        workspace: the folder that holds the runs.

    Returns:
        One row for each data set, metric and label: `bd_rate` (percent of bits at equal metric, from the mean curves;
        negative means fewer bits), `pictures` (the mean over single pictures, percent), `low` and `high` (its 95 %
        interval), `n` (pictures used), `overlap` (0..1) and `reason` (why `bd_rate` is null).

    Raises:
        UnknownIdError: no codec with a curve has that label in this run.
    """
    from benchbox import registry
    from benchbox.curves import compare_frame
    from benchbox.results import find_run, load_frame
    from benchbox.store import Workspace

    frame, metrics = load_frame(find_run(run, Workspace.at(workspace)), registry.load())
    return compare_frame(frame, metrics, anchor)
