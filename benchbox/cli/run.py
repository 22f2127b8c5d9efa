"""``benchbox run``: measures a plan, given as a file or flags, and writes its reports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbox.cli.group import commands, load_plugins, plugin_option, workspace_option
from benchbox.errors import PlanError, UsageError
from benchbox.fork_server import ForkServer

if TYPE_CHECKING:
    from benchbox.execution import Executor
    from benchbox.execution.cluster import Cluster
    from benchbox.plan import Plan
    from benchbox.session import Progress, Summary


@commands.command()
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="Name of the run.")
@click.option("--dataset", "datasets", multiple=True, metavar="ID[:ARG]", help="e.g. samples, kodak, folder:photos")
@click.option("--codec", "codecs", multiple=True, metavar="ID[:OPTIONS][@QUALITIES]", help="webp:method=6@10:95:5")
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="e.g. psnr, ms-ssim")
@click.option("--match", "targets", multiple=True, metavar="OF=VALUE", help="Find nearest settings, e.g. bpp=0.5")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. [default: one per core]")
@click.option("--dask", "dask", metavar="ADDRESS", help="Run on a dask cluster, e.g. tcp://10.0.0.1:8786 or 'local'.")
@click.option("--shard", metavar="N/COUNT", help="Measure the N-th of COUNT fixed shares, e.g. 3/16.")
@click.option("--retry", is_flag=True, help="Also try points that failed in earlier runs.")
@click.option("--fresh", is_flag=True, help="Measure points again whose codec's plugin changed under one identity.")
@click.option("--quick", is_flag=True, help="Four qualities of four pictures first, with verdicts as points come in.")
@click.option("--dry-run", is_flag=True, help="Print the missing points with estimates of time and disk; measure none.")
@click.option("--report", "reports", multiple=True, metavar="ID", help="Reports to write. [default: page]")
@click.option("--no-report", is_flag=True, help="Write no reports.")
@plugin_option
@workspace_option
def run(
    plan: Path | None, name: str | None, datasets: tuple[str, ...], codecs: tuple[str, ...], metrics: tuple[str, ...],
    targets: tuple[str, ...], workers: int | None, dask: str | None, shard: str | None, retry: bool, fresh: bool,
    quick: bool, dry_run: bool, reports: tuple[str, ...], no_report: bool, plugin_paths: tuple[Path, ...],
    workspace: Path,
) -> None:  # fmt: skip
    """Measure PLAN (a TOML file) or what the flags describe; with neither, the demo.

    Running again measures only what is missing: a new codec runs alone, a new metric only scores stored streams.
    What is stopped (Ctrl-C) keeps its points. A shard writes reports only if asked to; `benchbox merge` unites shards.
    """
    with ExitStack() as stack:
        server = stack.enter_context(ForkServer())
        if not dry_run and dask is None:
            server.start()  # it loads while this process loads and plans
        from benchbox.cli.remedies import checks
        from benchbox.plan import Shard, named, resolve
        from benchbox.results import chosen_reports, find_run, load_results, write_reports
        from benchbox.session import execute, for_terminal, local_executor
        from benchbox.store import Workspace, shown

        part = None if shard is None else Shard.parse(shard)
        settled, base = _settle(plan, name, datasets, codecs, metrics, targets)
        server.prepare(settled.metrics)
        plugins = load_plugins([*(base / path for path in settled.plugins), *plugin_paths])
        none = no_report or (part is not None and not reports)
        wanted = [] if none else chosen_reports(plugins, list(reports) or None)
        progress = for_terminal()
        cluster = None
        if dask is not None and not dry_run:
            cluster = stack.enter_context(_cluster(dask, settled, workers, progress))
        with named(plan):
            resolved = resolve(settled, plugins, base, *([] if cluster is None else [cluster.has_gpu]))
        if fresh:
            resolved = resolved.fresh()
        if part is not None:
            resolved = resolved.sharded(part)
        place = Workspace.at(workspace)
        local = partial(local_executor, resolved.plan, workers=workers, files=plugins.files)
        if dry_run:
            from benchbox.session import describe

            click.echo(describe(resolved, place, local, progress, retry, len(wanted)))
            return
        executor: Executor = local(place, server=server)
        if cluster is not None:
            from benchbox.execution.dask import DaskExecutor

            executor = DaskExecutor(cluster, resolved, place, plugins.files)
        looking = None
        if quick:
            from benchbox.cli.quick import verdicts  # brings pandas, which a run without reports does not need

            looking = partial(verdicts, run=resolved.plan.name, metrics=resolved.metrics)
        summary = execute(resolved, plugins, place, executor, progress, retry, looking)
    _say(summary, checks(summary.failures, resolved.configurations, plugins))
    if summary.elsewhere:
        click.echo(f"shard {part}: {summary.elsewhere} other points are other shards'; `benchbox merge` unites them")
    if wanted:
        results = load_results(find_run(summary.name, place), plugins)
        for file in write_reports(results, wanted, summary.folder / "report")[:1]:
            click.echo(f"report: {shown(file)}")
    if not summary.complete:
        sys.exit(1)


def _cluster(address: str, plan: Plan, workers: int | None, progress: Progress) -> Cluster:
    """The dask cluster that is to run `plan`; `workers` is a flag that has no meaning there."""
    from benchbox.execution.cluster import Cluster

    if workers is not None:
        raise UsageError("--workers and --dask exclude each other: a cluster's worker measures as many points at once "
                         "as it has threads; take --workers out, and start workers with the --nthreads you want")
    if plan.timing is not None:
        raise UsageError("[timing] and --dask exclude each other: times are of one machine. Run the plan with --dask "
                         "and without [timing], then with it and without --dask on the machine whose speed counts; "
                         "that run times what was measured")  # fmt: skip
    return Cluster(address, progress.say)


def _settle(
    path: Path | None, name: str | None, datasets: tuple[str, ...], codecs: tuple[str, ...], metrics: tuple[str, ...],
    targets: tuple[str, ...],
) -> tuple[Plan, Path]:  # fmt: skip
    from benchbox.plan import make_plan, parse_codec, settle

    if not (datasets or codecs or metrics):
        plan, base = settle(path)
        given = {"name": name, "match": targets}
        changed = {key: value for key, value in given.items() if value}
        return (make_plan({**plan.model_dump(), **changed}, "the flags") if changed else plan), base
    if path is not None:
        raise PlanError(f"{path}: a plan and --dataset, --codec or --metric exclude each other; edit the plan instead")
    if not codecs:
        raise PlanError("no codec is asked for; add --codec ID (see `benchbox list codecs`)")
    table: dict[str, Any] = {
        "name": name or "run", "dataset": datasets or ("samples",),
        "codec": [parse_codec(text).model_dump() for text in codecs],
    }  # fmt: skip
    table |= {"match": targets} | ({"metrics": metrics} if metrics else {})
    return make_plan(table, "the flags"), Path.cwd()


def _say(summary: Summary, remedies: Sequence[str]) -> None:
    """Print the outcome of a run, and below its failures the `remedies`."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.counts.items()))
    click.echo(f"{summary.name}: {counts or 'no points'} ({summary.measured} measured now in {summary.seconds:.1f} s)")
    if summary.timed:
        click.echo(f"{summary.name}: {summary.timed} points timed")
    for label, status, reason, rows in summary.failures[:20]:
        click.echo(f"  {status}: {label}, {rows} points: {reason}", err=True)
    if len(summary.failures) > 20:
        click.echo(f"  ... and {len(summary.failures) - 20} more kinds of failure; the results list all", err=True)
    for line in remedies:
        click.echo(f"  {line}", err=True)
    for label in summary.given_up:
        click.echo(f"  {label}: given up; its remaining points are missing", err=True)
