"""The suite from Python: `run` does what the command does, `load` gives its results as a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox import registry as plugins
from benchbox import runner
from benchbox.codec import validated_options
from benchbox.errors import PlanError
from benchbox.execution import Executor, PointLimits
from benchbox.execution.local import LocalExecutor, memory_share
from benchbox.jobs import Resolved, anchored, resolve
from benchbox.matched import run_matched
from benchbox.plan import Plan, Timing, load_plan, make_plan, plan_text
from benchbox.progress import Progress, Silent
from benchbox.registry import Registry
from benchbox.runner import Summary
from benchbox.store import Store

if TYPE_CHECKING:
    import pandas as pd

DEMO = Path(__file__).with_name("demo.toml")


def load(run: str | Path, workspace: str | Path = "runs") -> pd.DataFrame:
    """The results of a run, one row an operating point and picture.

    Args:
        run: name of the run, or its folder, e.g. ``"runs/demo"``.
        workspace: the folder that holds the runs.

    Returns:
        A DataFrame with the columns of `benchbox.columns.COLUMNS` (dtypes and units there) and one a metric.
    """
    from benchbox.results import load_frame

    return load_frame(run, Path(workspace), plugins.load())


def run(
    plan: str | Path | Mapping[str, Any] | Plan | None = None,
    *,
    workspace: str | Path = "runs",
    workers: int | None = None,
    reports: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure what a plan asks for and the workspace lacks, write its reports, and give the results.

    Args:
        plan: a plan file, a mapping of the same shape, a `Plan`, or None for the demo.
        workspace: the folder that holds the runs; made if it is not there.
        workers: processes to use; default: one a core.
        reports: report ids to write below ``runs/NAME/report``; default: those that mark themselves default.
        progress: told of each step; default: silent.

    Returns:
        The frame of `load`.
    """
    registry = plugins.load()
    settled, base = settle(plan)
    execute(settled, base, registry, Path(workspace), workers, progress or Silent())
    write_reports(settled.name, Path(workspace), registry, reports)
    return load(settled.name, workspace)


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
    from benchbox.results import load_results

    results = load_results(run, Path(workspace), plugins.load())
    return compare_frame(results.frame, results.metrics, anchor)


def settle(plan: str | Path | Mapping[str, Any] | Plan | None) -> tuple[Plan, Path]:
    """(validated plan, folder that its relative paths start from)."""
    if plan is None:
        return load_plan(DEMO), Path.cwd()
    if isinstance(plan, Plan):
        return plan, Path.cwd()
    if isinstance(plan, Mapping):
        return make_plan({"name": "run", **plan}, "plan"), Path.cwd()
    return load_plan(Path(plan)), Path(plan).resolve().parent


def local_executor(plan: Plan, workspace: Path, workers: int | None) -> LocalExecutor:
    """Local worker processes under the plan's limits."""
    count = workers or os.cpu_count() or 1
    return LocalExecutor(count, point_limits(plan, count), workspace / "streams", workspace / "spool")


def timing_executor(plan: Plan, protocol: Timing, workspace: Path) -> LocalExecutor:
    """One worker pinned to one core; a point may take as long as all its repeats."""
    limits = point_limits(plan, 1)
    longer = PointLimits(limits.seconds * 2 * (protocol.repeats + 1) * protocol.batch, limits.memory)
    core = protocol.core if protocol.core is not None else max(os.sched_getaffinity(0))
    if core not in os.sched_getaffinity(0):
        raise PlanError(f"timing: there is no core {core} here; take one of {sorted(os.sched_getaffinity(0))}")
    return LocalExecutor(1, longer, workspace / "streams", workspace / "spool", core=core)


def point_limits(plan: Plan, workers: int) -> PointLimits:
    """The plan's limits; memory, where it says nothing, is one of `workers` equal shares."""
    memory = plan.limits.memory_mib << 20 if plan.limits.memory_mib else memory_share(workers)
    return PointLimits(plan.limits.point_seconds, memory)


def execute(
    plan: Plan, base: Path, registry: Registry, workspace: Path, workers: int | None, progress: Progress,
    retry: bool = False, executor: Executor | None = None,
) -> Summary:  # fmt: skip
    """Resolve and run a plan; `retry` tries again what failed for good."""
    plan, resolved = resolved_plan(plan, base, registry, progress)
    with runner.lock(workspace), Store(workspace) as store:
        executor = executor or local_executor(plan, workspace, workers)
        text = plan_text(plan)
        if plan.match:
            return run_matched(resolved, text, registry, store, executor, progress)
        summary = runner.run(resolved, text, registry, store, executor, progress, retry)
        if plan.timing is None:
            return summary
        timer = timing_executor(plan, plan.timing, workspace)
        timed = runner.run_timing(resolved, text, registry, store, timer, progress)
        return replace(summary, timed=timed)


def resolved_plan(plan: Plan, base: Path, registry: Registry, progress: Progress) -> tuple[Plan, Resolved]:
    """The plan with absolute paths, and what it names looked up; says which optional codecs are left out."""
    plan = plan.model_copy(update={"dataset": tuple(anchored(name, registry, base) for name in plan.dataset)})
    resolved = resolve(plan, registry, base)
    for codec, why in resolved.left_out.items():
        progress.say(f"{codec} is left out: {why}")
    return plan, resolved


def write_reports(
    run: str, workspace: Path, registry: Registry, reports: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None, out: Path | None = None, literature: Sequence[str] = (),
) -> list[Path]:  # fmt: skip
    """Render reports of a run below its folder (or `out`), the published curves named in `literature` laid under ours;
    returns the files, the one to open first in front."""
    chosen = [registry.report(name) for name in reports] if reports is not None else [
        report for report in registry.reports.values() if report.default
    ]  # fmt: skip
    if not chosen:
        return []
    settings = [validated_options(report.Options, options or {}, report.id) for report in chosen]
    from benchbox.results import is_published, load_results

    results = load_results(run, workspace, registry, literature)
    folder = out or (Path(run) if is_published(run) else workspace / results.name) / "report"
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for report, given in zip(chosen, settings, strict=True):
        files += report.render(results, given, folder)
    return files
