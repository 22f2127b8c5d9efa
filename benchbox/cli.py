"""The command line: thin commands over the library. Imports stay inside the commands, so that --help is quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbox.errors import BenchboxError, PlanError
from benchbox.plugin_commands import PluginGroup, built_in

if TYPE_CHECKING:
    from benchbox.plan import Plan

workspace_option = click.option(
    "--workspace", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True,
    help="Folder that holds results and runs.",
)  # fmt: skip

literature_option = click.option(
    "--literature", metavar="ID,ID...", default="", help="Published curves (`benchbox list references`)."
)


def main() -> None:
    """Run the command line: errors are one line, no traceback unless --debug stands anywhere on it."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        code = commands.main([a for a in arguments if a != "--debug"], prog_name="benchbox", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except BrokenPipeError:  # `benchbox list codecs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (KeyboardInterrupt, click.Abort):
        code = _fail("stopped", 130)
    except BenchboxError as error:
        if debug:
            raise
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        if debug:
            raise
        code = _fail(f"{error.filename or 'system'}: {error.strerror or error}", 1)
    except Exception as error:  # the last line between a fault of ours and the user
        if debug:
            raise
        code = _fail(f"unexpected {type(error).__name__}: {error}; run again with --debug and report it", 1)
    sys.exit(code or 0)


def _fail(message: str, code: int) -> int:
    click.echo(f"benchbox: {' '.join(message.split())}", err=True)
    return code


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="benchbox")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """Compare image codecs: sweep them over pictures, score what comes back, report rate-distortion curves."""


@commands.command()
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="Name of the run.")
@click.option("--dataset", "datasets", multiple=True, metavar="ID[:ARG]", help="e.g. samples, kodak, folder:photos")
@click.option("--codec", "codecs", multiple=True, metavar="ID[:OPTIONS][@QUALITIES]", help="webp:method=6@10:95:5")
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="e.g. psnr, ms-ssim")
@click.option("--match", "targets", multiple=True, metavar="OF=VALUE", help="bpp=0.5: nearest setting")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. [default: one a core]")
@click.option("--dask", "dask", metavar="ADDRESS", help="Run on a dask cluster, e.g. tcp://10.0.0.1:8786 or 'local'.")
@click.option("--retry", is_flag=True, help="Try again what failed in earlier runs.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, how long it takes and how much disk.")
@click.option("--report", "reports", multiple=True, metavar="ID", help="Reports to write. [default: page]")
@click.option("--no-report", is_flag=True, help="Write none.")
@workspace_option
def run(
    plan: Path | None, name: str | None, datasets: tuple[str, ...], codecs: tuple[str, ...], metrics: tuple[str, ...],
    targets: tuple[str, ...], workers: int | None, dask: str | None, retry: bool, dry_run: bool,
    reports: tuple[str, ...], no_report: bool, workspace: Path,
) -> None:  # fmt: skip
    """Measure what PLAN (a TOML file) or the flags ask for; with neither, the demo.

    Running again does only what is missing: a new codec runs alone, a new metric only scores kept streams.
    """
    from benchbox import api, registry
    from benchbox.progress import for_terminal

    settled, base = _settle(plan, name, datasets, codecs, metrics)
    if targets:
        settled = settled.model_copy(update={"match": targets})
    plugins = registry.load()
    progress = for_terminal()
    if dry_run:
        from benchbox.dryrun import describe

        resolved = api.resolved_plan(settled, base, plugins, progress)[1]
        click.echo(describe(resolved, workspace, api.local_executor(settled, workspace, workers), progress))
        return
    executor = None
    if dask is not None:
        from benchbox.execution.dask import DaskExecutor

        executor = DaskExecutor(dask, api.point_limits(settled, 1), workspace.resolve() / "streams")
    summary = api.execute(settled, base, plugins, workspace, workers, progress, retry, executor)
    files = [] if no_report else api.write_reports(settled.name, workspace, plugins, list(reports) or None)
    _conclude(summary, files)


def _settle(
    path: Path | None, name: str | None, datasets: tuple[str, ...], codecs: tuple[str, ...], metrics: tuple[str, ...]
) -> tuple[Plan, Path]:
    from benchbox import api
    from benchbox.plan import make_plan, parse_codec

    if not (datasets or codecs or metrics):
        plan, base = api.settle(path)
        return (make_plan({**plan.model_dump(), "name": name}, "--name") if name else plan), base
    if path is not None:
        raise PlanError(f"{path}: a plan and --dataset, --codec or --metric exclude each other; edit the plan instead")
    if not codecs:
        raise PlanError("no codec is asked for; add --codec ID (see `benchbox list codecs`)")
    table: dict[str, Any] = {
        "name": name or "run", "dataset": datasets or ("samples",),
        "codec": [parse_codec(text).model_dump() for text in codecs],
    }  # fmt: skip
    return make_plan(table | ({"metrics": metrics} if metrics else {}), "the flags"), Path.cwd()


def _conclude(summary: Any, files: list[Path]) -> None:
    """Say what came of a run; exit 1 where something failed."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.counts.items()))
    click.echo(f"{summary.name}: {counts} ({summary.measured} measured now in {summary.seconds:.1f} s)")
    if summary.timed:
        click.echo(f"{summary.name}: {summary.timed} points timed")
    for label, status, reason, rows in summary.failures[:20]:
        click.echo(f"  {status}: {label}, {rows} points: {reason}", err=True)
    if len(summary.failures) > 20:
        click.echo(f"  ... and {len(summary.failures) - 20} more kinds; all stand in the results", err=True)
    for label in summary.given_up:
        click.echo(f"  {label}: given up; its remaining points are missing", err=True)
    if files:
        click.echo(f"report: {files[0]}")
    if not summary.complete:
        sys.exit(1)


@commands.command("list")
@click.argument(
    "kind", default="codecs",
    type=click.Choice(["codecs", "metrics", "datasets", "reports", "references", "plugins", "runs", "columns"]),
)  # fmt: skip
@workspace_option
def list_(kind: str, workspace: Path) -> None:
    """List codecs, metrics, datasets, reports, references (published curves), plugins, runs, or columns of results."""
    from benchbox import listing

    for line in listing.lines(kind, workspace, built_in(click.get_current_context())):
        click.echo(line)


@commands.command()
@click.argument("dataset")
@click.option("--from", "source", type=click.Path(exists=True, path_type=Path), help="Folder or archive on disk.")
def fetch(dataset: str, source: Path | None) -> None:
    """Bring a data set: download it (resumed where it broke off) or take it from --from, and check every sum."""
    from tqdm import tqdm

    from benchbox import registry

    info = registry.load().dataset_info(dataset)
    bars: dict[str, tqdm[Any]] = {}

    def progress(name: str, done: int, total: int) -> None:
        if name not in bars:
            for old in bars.values():
                old.close()
            bars.clear()
            bars[name] = tqdm(desc=name, total=total or None, unit="B", unit_scale=True, disable=None)
        bars[name].update(done - bars[name].n)

    try:
        files = info.fetch(source, progress)
    finally:
        for bar in bars.values():
            bar.close()
    click.echo(f"{dataset}: {len(files)} files in place, sums checked")


@commands.command()
@click.argument("run")
@click.option("--format", "formats", multiple=True, metavar="ID", help="Report ids (see `benchbox list reports`).")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the report, e.g. anchor=webp.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder. [default: in the run's]")
@literature_option
@click.option("--check", is_flag=True, help="RUN is a published folder: measure some of its points again and compare.")
@workspace_option
def report(
    run: str, formats: tuple[str, ...], options: tuple[str, ...], output: Path | None, literature: str, check: bool,
    workspace: Path,
) -> None:  # fmt: skip
    """Write reports of RUN (its name, its folder, or a published folder) from what is stored; measures nothing."""
    from benchbox import api, registry
    from benchbox.results import is_published, locate

    if check:
        _check(Path(run))
        return
    if is_published(run):
        name = run
    else:
        workspace, name = locate(run, workspace)
    pairs = dict(option.partition("=")[::2] for option in options)
    curves = _words(literature)
    files = api.write_reports(name, workspace, registry.load(), list(formats) or None, pairs, output, curves)
    for file in files[:1]:
        click.echo(f"report: {file}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _check(folder: Path) -> None:
    """Print what became of each point that is measured again; exit 1 where one differs."""
    from benchbox import publishing, registry

    verdicts = []
    for v in publishing.check(folder, registry.load()):
        verdicts.append(v)
        at = "" if v.quality is None else f" at {v.quality:g}"
        click.echo(f"{v.label}{at}, {v.sample}: {v.words}")
    click.echo(publishing.agreement(verdicts))
    if any(v.agrees is False for v in verdicts):
        sys.exit(1)


@commands.command()
@click.argument("run")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write.")
@literature_option
@workspace_option
def publish(run: str, output: Path, literature: str, workspace: Path) -> None:
    """Write RUN as a folder to give away: results, plan, machine, page, figures, tables."""
    from benchbox import publishing, registry

    files = publishing.publish(run, workspace, registry.load(), output, _words(literature))
    click.echo(f"published: {files[0] if files else output}")


@commands.command()
@click.argument("run")
@click.option("--format", "format_", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@workspace_option
def export(run: str, format_: str, output: Path, workspace: Path) -> None:
    """Write the results of RUN as one table."""
    from benchbox import api

    table = api.load(run, workspace)
    if format_ == "csv":
        table.to_csv(output, index=False)
    else:
        table.to_parquet(output, index=False)
    click.echo(f"{output}: {len(table)} rows")


@commands.command()
@workspace_option
def gc(workspace: Path) -> None:
    """Drop streams that no run needs. What was measured stays."""
    from benchbox import runner, streams
    from benchbox.store import Store

    with runner.lock(workspace), Store(workspace) as store:
        count, size = streams.drop_unused(store.streams, store.streams_in_use())
    click.echo(f"{workspace}: {count} streams dropped, {size / 1e6:.1f} MB freed")


@commands.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("-c", "--codec", required=True, metavar="ID[:OPTIONS]", help="e.g. jpeg or webp:method=6")
@click.option("-q", "--quality", type=float, help="On the codec's axis. [default: the middle of its sweep]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N, or auto.")
def encode(picture: Path, codec: str, quality: float | None, output: Path, device: str) -> None:
    """Encode one PICTURE with a codec and write its stream."""
    from benchbox import byhand

    click.echo(byhand.encode(picture, codec, quality, output, device))


@commands.command()
@click.argument("stream", type=click.Path(path_type=Path))
@click.option("-c", "--codec", metavar="ID[:OPTIONS]", help="Default: told from the file's suffix.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A PNG file.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N, or auto.")
def decode(stream: Path, codec: str | None, output: Path, device: str) -> None:
    """Decode a STREAM and write the picture as PNG."""
    from benchbox import byhand

    click.echo(byhand.decode(stream, codec, output, device))


@commands.command()
def doctor() -> None:
    """Print this machine, all versions, and for everything unavailable the command that brings it."""
    from benchbox import listing

    for line in listing.doctor():
        click.echo(line)
