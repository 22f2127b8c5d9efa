"""benchbox from Python: `run` measures a plan, `load` returns its results, `bd_rates` compares its codecs with one of
them, `compare` a run with another. All three return a DataFrame."""

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


def bd_rates(
    run: str | Path | pd.DataFrame, anchor: str = "jpeg", *, workspace: str | Path = "runs"
) -> pd.DataFrame:
    """BD-rates of all codecs of a run against one of them.

    Args:
        run: name of the run, its folder, a published folder, or a frame as `load` returns it.
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
    from benchbox.curves import rates_against
    from benchbox.results import load_run
    from benchbox.store import Workspace

    return rates_against(*load_run(run, Workspace.at(workspace), registry.load()), anchor)


def compare(
    before: str | Path | pd.DataFrame, after: str | Path | pd.DataFrame, *, codecs: Sequence[str] = (),
    metrics: Sequence[str] = (), workspace: str | Path = "runs",
) -> pd.DataFrame:  # fmt: skip
    """Is a codec better than it was? Two runs compared, picture by picture; pictures are paired by their pixels.

    Args:
        before, after: each the name of a run (``"mine~1"`` is what the run ``"mine"`` was before its codec changed),
            its folder, a published folder, or a frame as `load` returns it.
        codecs: labels or codec ids to compare, each ``"mine"`` or, for two different codecs, ``"old=new"``; default:
            every label that both runs have.
        metrics: ids of metrics; default: all that both runs have.
        workspace: the folder that holds the runs.

    Returns:
        One row for each data set, codec and metric: `verdict` (``better``, ``worse``, ``undecided``, or ``same`` where
        no byte, pixel or score has changed), `bd_rate` (mean over pictures, percent of bits at equal metric; negative
        means fewer bits), `low` and `high` (its 95 % interval, by which the verdict is taken), `bd_metric` (difference
        of the metric at equal bits), `n` (pictures used), `encode_speed` and `decode_speed` (above 1: faster; only
        where both runs were timed on one host), `points` (compared), `changed` (of these, with other bytes), `broken`
        (points that went through before and fail now) and `reason` (why there is no number or no interval).

    Raises:
        UnknownIdError: a run has no such codec or metric, or the runs have none in common.
        StoreError: there is no such run.
    """
    from benchbox import registry
    from benchbox.curves import codec_pairs, common_metrics, compare_codecs, comparison_table
    from benchbox.results import load_run
    from benchbox.store import Workspace

    place, plugins = Workspace.at(workspace), registry.load()
    (old, known), (new, offered) = (load_run(run, place, plugins) for run in (before, after))
    pairs = codec_pairs(old, new, codecs)
    return comparison_table(compare_codecs(old, new, common_metrics(known, offered, metrics), pairs))
