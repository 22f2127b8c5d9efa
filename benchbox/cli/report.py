"""``benchbox report``, ``publish`` and ``export``: write reports, a folder to publish, or a table of a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbox.cli.appearance import appearance_options, with_flags
from benchbox.cli.group import commands, literature_option, load_plugins, plugin_option, workspace_option
from benchbox.errors import OptionError
from benchbox.values import listed

if TYPE_CHECKING:
    from benchbox.registry import Registry
    from benchbox.results import RunPlace

_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
"""Suffix -> the format of `export` that a reader expects behind it; other names hold what --format says."""


@commands.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--format", "formats", multiple=True, metavar="ID", help="Report ids (see `benchbox list reports`).")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Report option, e.g. anchor=webp.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="[default: `report` in RUN's folder]")
@click.option("--single-file", is_flag=True, help="Page: pictures, tables and figures inside the one HTML file.")
@literature_option
@appearance_options
@click.option("--check", is_flag=True, help="RUN is a published folder: measure some of its points again and compare."
              "  Exits with 1 where one differs, 3 where some cannot be measured here.")
@plugin_option
@workspace_option
def report(
    runs: tuple[str, ...], formats: tuple[str, ...], options: tuple[str, ...], output: Path | None, single_file: bool,
    literature: str, check: bool, plugin_paths: tuple[Path, ...], workspace: Path, **look: Any,
) -> None:  # fmt: skip
    """Write reports of RUN (its name, its folder, or a published folder) from stored results; measures nothing.

    Several runs make one report, in which a label that two of them use for different things is named by run.

    The flags from --codecs to --font are the table [report] of a plan, and go before it.
    """
    from benchbox.results import chosen_reports, find_run, load_several, nameable, write_reports
    from benchbox.store import Workspace, shown

    plugins = load_plugins(plugin_paths)
    if check:
        codes = [_check(Path(run), plugins) for run in runs]
        sys.exit(1 if 1 in codes else max(codes))
    wanted = chosen_reports(plugins, list(formats) or None)
    places = [find_run(run, Workspace.at(workspace)) for run in runs]
    pairs = _pairs(options) | ({"single_file": "yes"} if single_file else {})
    results = load_several(places, plugins, listed(literature))
    _say_what_is_missing(places, plugins)
    results = replace(results, appearance=with_flags(results.appearance, look, nameable(results)))
    folder = output or places[0].folder / "-".join(["report", *(place.name for place in places[1:])])
    files = write_reports(results, wanted, folder, pairs)
    for file in files[:1]:
        click.echo(f"report: {shown(file)}")


def _pairs(options: Sequence[str]) -> dict[str, str]:
    for option in options:
        if "=" not in option:
            raise OptionError(f"--option {option}: write --option KEY=VALUE, e.g. anchor=webp")
    return dict(option.partition("=")[::2] for option in options)


def _say_what_is_missing(places: Sequence[RunPlace], plugins: Registry) -> None:
    """Say which columns are left out since the plugin of their metric is not here."""
    from benchbox.results import unknown_metrics

    for place in places:
        if missing := unknown_metrics(place, plugins):
            click.echo(f"{place.name}: left out: {', '.join(missing)}, which no plugin here offers; install it, or "
                       "name its file with --plugin", err=True)  # fmt: skip


def _check(folder: Path, plugins: Registry) -> int:
    """Print the verdict on each point that is measured again; returns the exit code."""
    from benchbox.results import agreement, check, exit_code

    verdicts = []
    for v in check(folder, plugins):
        verdicts.append(v)
        at = "" if v.quality is None else f" at {v.quality:g}"
        click.echo(f"{v.label}{at}, {v.sample}: {v.words}")
    click.echo(agreement(verdicts))
    return exit_code(verdicts)


@commands.command()
@click.argument("run")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write.")
@literature_option
@plugin_option
@workspace_option
def publish(run: str, output: Path, literature: str, plugin_paths: tuple[Path, ...], workspace: Path) -> None:
    """Write RUN as a folder that others can read and check: results, plan, machine, page, figures, tables."""
    from benchbox import results
    from benchbox.store import Workspace

    place = results.find_run(run, Workspace.at(workspace))
    plugins = load_plugins(plugin_paths)
    files = results.publish(place, plugins, output, listed(literature))
    _say_what_is_missing([place], plugins)
    click.echo(f"published: {files[0] if files else output}")


@commands.command()
@click.argument("run")
@click.option("--format", "format_", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@plugin_option
@workspace_option
def export(run: str, format_: str, output: Path, plugin_paths: tuple[Path, ...], workspace: Path) -> None:
    """Write the results of RUN as one table, for others: data sets in folders go by the folder's name."""
    from benchbox import files, results
    from benchbox.errors import UsageError
    from benchbox.naming import published_frame
    from benchbox.report import to_csv
    from benchbox.store import Workspace

    place = results.find_run(run, Workspace.at(workspace))
    if any(files.same_file(output, source) for source in place.sources):
        raise UsageError(f"{output}: the results are read from this file; choose another --output")
    if output.suffix and output.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{output}: is named as no table that can be written is; name it {output.stem}.csv, or "
                         f"{output.stem}.parquet with --format parquet (known: {', '.join(_SUFFIXES)})")
    other = _SUFFIXES.get(output.suffix.lower(), format_)
    if other != format_:
        raise UsageError(f"{output}: would hold {format_}; add --format {other}, or name it {output.stem}.{format_}")
    plugins = load_plugins(plugin_paths)
    table = published_frame(results.load_frame(place, plugins)[0])
    _say_what_is_missing([place], plugins)
    with files.whole_file(output) as part:
        if format_ == "csv":
            part.write_text(to_csv(table), encoding="utf-8", errors="replace")
        else:
            table.to_parquet(part, index=False)
    click.echo(f"{output}: {len(table)} rows")
