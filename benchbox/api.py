"""benchbox from Python: `run` measures a plan, `load` returns its results, `bd_rates` compares its codecs with one of
them, `compare` a run with another, `rd_curves` gives its curves and `plot` draws them. All
but `plot` return a DataFrame."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from benchbox.appearance import Appearance
    from benchbox.metric import Metric
    from benchbox.plan import Plan
    from benchbox.registry import Registry
    from benchbox.report import Report, Results
    from benchbox.session import Progress
    from benchbox.store import Workspace


def load(run: str | Path | Sequence[str | Path], workspace: str | Path = "runs") -> pd.DataFrame:
    """The results of a run, or of several: one row for each operating point and picture.

    Args:
        run: name of the run, or its folder, e.g. ``"runs/demo"``, or a published folder; or several of these. Of
            several, a label that two of them use for different things is named by run: ``"jpeg (demo)"``.
        workspace: the folder that holds the runs.

    Returns:
        A DataFrame with the columns that ``benchbox list columns`` shows with their dtypes and units, and one float64
        column for each metric. A warning names the metrics of a run in `workspace` that no plugin here offers.

    Raises:
        StoreError: there is no such run; the message names the runs that exist.
        UsageError: a run is named twice.
    """
    from benchbox import registry
    from benchbox.results import find_run, left_out, load_frames
    from benchbox.store import Workspace

    runs, plugins = [run] if isinstance(run, str | Path) else run, registry.load()
    places = [find_run(one, Workspace.at(workspace)) for one in runs]
    frame, _ = load_frames(places, plugins)
    for line in filter(None, (left_out(place, plugins) for place in places)):
        warnings.warn(line, stacklevel=2)
    return frame


def _loaded(run: str | Path | pd.DataFrame, place: Workspace, plugins: Registry) -> tuple[pd.DataFrame, list[Metric]]:
    """Load a run as `benchbox.results.load_run` does, and warn as `load` does."""
    from benchbox.results import find_run, left_out, load_run

    loaded = load_run(run, place, plugins)
    if isinstance(run, str | Path) and (line := left_out(find_run(run, place), plugins)):
        warnings.warn(line, stacklevel=3)
    return loaded


def run(
    plan: str | Path | Mapping[str, Any] | Plan | None = None,
    *,
    workspace: str | Path = "runs",
    workers: int | None = None,
    shard: str | None = None,
    reports: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure the points of a plan that the workspace lacks, write the run's reports, and return its results.

    Args:
        plan: a plan file, a mapping of the same shape, a `Plan`, or None for the demo.
        workspace: the folder that holds the runs; created if absent.
        workers: number of worker processes; default: one per core.
        shard: ``"3/16"`` measures the third of sixteen fixed shares of the points; the rows of other shards have the
            status ``missing``, and ``benchbox merge`` unites the workspaces of all. Default: measure all points.
        reports: ids of the reports to write below ``runs/NAME/report``; default: those whose `default` is true, and
            none for a shard.
        progress: is called at each step; default: a bar in a notebook, else silent.

    Returns:
        The same frame as `load`; the reports were made from it. A notebook shows it as a table of BD-rates and a plot.

    Raises:
        PlanError: the plan or the shard is wrong.
    """
    from benchbox.fork_server import ForkServer

    with ForkServer() as server:
        server.start()  # it loads while this process loads and plans
        from benchbox import registry
        from benchbox.plan import Shard, named, resolve, settle
        from benchbox.plugin_file import plugin_files
        from benchbox.results import chosen_reports, find_run, load_results, write_reports
        from benchbox.session import execute, for_python, local_executor
        from benchbox.store import Workspace

        part = None if shard is None else Shard.parse(shard)
        settled, base = settle(plan)
        server.prepare(settled.metrics)
        plugins = registry.load(files=plugin_files(settled.plugins, base))
        wanted = chosen_reports(plugins, () if reports is None and part is not None else reports)
        with named(plan):
            resolved = resolve(settled, plugins, base)
        if part is not None:
            resolved = resolved.sharded(part)
        place = Workspace.at(workspace)
        executor = local_executor(resolved.plan, place, workers, server, plugins.files)
        execute(resolved, plugins, place, executor, progress or for_python())
    results = load_results(find_run(settled.name, place), plugins)
    write_reports(results, wanted, place.run_folder(settled.name) / "report")
    from benchbox.frames import ResultFrame

    return ResultFrame.of(results.frame, partial(_overview, appearance=results.appearance))


def plot(
    run: str | Path | pd.DataFrame, metric: str = "psnr", *, only: str | Sequence[str] = (), dataset: str | None = None,
    ax: Axes | None = None, workspace: str | Path = "runs",
) -> Axes:  # fmt: skip
    """Draw the rate-distortion curves of a run, in the style of its reports.

    Args:
        run: name of the run, its folder or a published folder, drawn with the labels, colours, highlight, ranges and
            font of its plan's table ``[report]``; or a frame as `load` returns it, which has no such table.
        metric: id of one of its metrics, also of one that ``[report]`` does not show.
        only: labels, codec ids or names that ``[report]`` gives, to draw in this order, or a single one; default: those
            that ``[report]`` shows, else all.
        dataset: the data set; needed where the run has several.
        ax: matplotlib Axes to draw into; default: those of a new figure.
        workspace: the folder that holds the runs.

    Returns:
        The Axes, to be changed and saved as any others.

    Raises:
        UnknownIdError: the run has no such codec, metric or data set.
        UsageError: it has several data sets and none is named, or no plugin draws curves.
    """
    from benchbox import registry
    from benchbox.guard import guarded
    from benchbox.results import as_results, one_dataset
    from benchbox.store import Workspace

    plugins = registry.load()
    results = as_results(run, Workspace.at(workspace), plugins, [only] if isinstance(only, str) else only, metric)
    chosen = one_dataset(results, dataset)
    report = _drawing(plugins, results, chosen, metric)
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(layout="constrained")[1]
    guarded(report.plot, results, chosen, metric, ax)
    return ax


def rd_curves(run: str | Path | pd.DataFrame, *, workspace: str | Path = "runs") -> pd.DataFrame:
    """The mean rate-distortion curves of a run: one row for each data set, metric, label and quality.

    Args:
        run: name of the run, its folder, a published folder, or a frame as `load` returns it.
        workspace: the folder that holds the runs.

    Returns:
        Columns `dataset`, `metric`, `label`, `codec`, `quality`, `bpp` (mean over pictures), `mean` (of the metric as
        scored), `drawn` (as in figures: decibels for MS-SSIM and SSIM), `n` and `n_missing` (pictures with and without
        a value). Means are over the pictures of which every codec has a value; a point where one lacks is null.
    """
    from benchbox import registry
    from benchbox.curves import curves_table
    from benchbox.store import Workspace

    return curves_table(*_loaded(run, Workspace.at(workspace), registry.load()))


def _drawing(plugins: Registry, results: Results, dataset: str, metric: str) -> Report:
    """The first report that draws curves into Axes."""
    from benchbox.errors import BenchboxError, UsageError
    from benchbox.guard import answered

    for report in plugins.reports.values():
        with suppress(BenchboxError):  # one at fault leaves the drawing to the next
            if answered(report.plot, results, dataset, metric, None):
                return report
    raise UsageError("no installed plugin draws curves; install benchbox_reports, which comes with benchbox")


def _overview(frame: pd.DataFrame, appearance: Appearance) -> str:
    """A run's frame in HTML, as its reports look: BD-rates by every metric, and the curves by the first."""
    import io

    from matplotlib.figure import Figure

    from benchbox import registry
    from benchbox.curves import rates_against, usual_anchor
    from benchbox.errors import UsageError
    from benchbox.frames import overview
    from benchbox.guard import guarded
    from benchbox.results import as_results
    from benchbox.store import Workspace

    plugins = registry.load()
    results = as_results(frame, Workspace.at("runs"), plugins, appearance=appearance)
    lossy = results.frame.loc[results.frame["quality"].notna(), ["label", "codec"]].astype(str)
    anchor = usual_anchor(dict(lossy.drop_duplicates("label").itertuples(index=False, name=None)))
    if anchor is None:
        raise UsageError("nothing is compared: no codec of this run is lossy")
    text, dataset, metric = io.StringIO(), str(results.frame["dataset"].iloc[0]), results.metrics[0].id
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    guarded(_drawing(plugins, results, dataset, metric).plot, results, dataset, metric, figure.subplots())
    figure.savefig(text, format="svg", metadata={"Date": None})
    counts = f"{len(frame):,} operating points of single pictures; benchbox.plot and benchbox.bd_rates show more."
    table = rates_against(results.frame, results.metrics, anchor)
    pictures = results.frame.groupby("dataset", observed=True)["sample"].nunique()
    table["all"] = table["dataset"].map({str(dataset): int(count) for dataset, count in pictures.items()})
    return overview(results.name, table, anchor, text.getvalue().partition("?>")[2], counts)


def bd_rates(
    run: str | Path | pd.DataFrame, anchor: str = "jpeg", *, workspace: str | Path = "runs"
) -> pd.DataFrame:
    """BD-rates of all codecs of a run against one of them.

    Args:
        run: name of the run, its folder, a published folder, or a frame as `load` returns it.
        anchor: label of the codec to compare against.
        workspace: the folder that holds the runs.

    Returns:
        One row for each data set, metric and label other than the anchor. All rates are percent of the anchor's bits at
        equal metric: -10 means 10 % fewer bits than the anchor, +10 means 10 % more.

        - `bd_rate`: the BD-rate between the two mean curves (mean bpp and mean metric at each quality), float64.
        - `pictures`: the BD-rate of each picture, averaged as log ratios: a rate, in which each picture counts alike.
        - `low`, `high`: the ends of the 95 % interval of `pictures`; null below five pictures.
        - `n`: the number of pictures in `pictures`.
        - `overlap`: 0..1, the share of the metric's range that both mean curves cover.
        - `reason`: why `bd_rate`, `pictures`, or `low` and `high` are null, or "".

    Raises:
        UnknownIdError: no codec with a curve has that label in this run.
    """
    from benchbox import registry
    from benchbox.curves import rates_against
    from benchbox.store import Workspace

    return rates_against(*_loaded(run, Workspace.at(workspace), registry.load()), anchor)


def compare(
    before: str | Path | pd.DataFrame, after: str | Path | pd.DataFrame, *, codecs: Sequence[str] = (),
    metrics: Sequence[str] = (), workspace: str | Path = "runs",
) -> pd.DataFrame:  # fmt: skip
    """Is a codec better than it was? Two runs compared, picture by picture; pictures are paired by their pixels.

    Args:
        before: the name of a run (``"mine~1"`` is what the run ``"mine"`` was before its codec changed), its folder, a
            published folder, or a frame as `load` returns it.
        after: the other, likewise.
        codecs: labels or codec ids to compare, each ``"mine"`` or, for two different codecs, ``"old=new"``; default:
            every label that both runs have.
        metrics: ids of metrics; default: all that both runs have.
        workspace: the folder that holds the runs.

    Returns:
        One row for each data set, codec and metric: `verdict` (``better``, ``worse``, ``undecided``, or ``same`` where
        no byte, pixel or score has changed, and at most one of the runs asks for more qualities), `bd_rate` (mean over
        pictures, percent of bits at equal metric; negative means fewer bits), `low` and `high` (its 95 % interval, by
        which the verdict is taken), `bd_metric` (difference of the metric at equal bits), `n` (pictures used),
        `encode_speed` and `decode_speed` (above 1: faster; only where both runs were timed on one host), `points`
        (compared), `changed` (of these, with other bytes), `unpaired` (points of either run whose picture has none of
        that quality in the other), `unmeasured` (points that either run asks for and has not measured yet), `broken`
        (points that went through before and fail now) and `reason` (why there is no number or no interval). A warning
        names codecs, metrics and data sets that only `before` has.

    Raises:
        UnknownIdError: a run has no such codec or metric, or the runs have none in common.
        UsageError: the runs have scores of two versions of a metric.
        StoreError: there is no such run.
    """
    from benchbox import registry
    from benchbox.curves import codec_pairs, common_metrics, compare_codecs, comparison_table, uncompared
    from benchbox.results import check_versions, find_run
    from benchbox.store import Workspace

    place, plugins = Workspace.at(workspace), registry.load()
    (old, known), (new, offered) = (_loaded(run, place, plugins) for run in (before, after))
    compared, pairs = common_metrics(known, offered, metrics), codec_pairs(old, new, codecs)
    named = [find_run(run, place) for run in (before, after) if isinstance(run, str | Path)]
    check_versions(named, plugins, [metric.id for metric in compared])
    found = comparison_table(compare_codecs(old, new, compared, pairs))
    for line in uncompared(old, new, (known, offered), (codecs, metrics)).lines():
        warnings.warn(line, stacklevel=2)
    return found
