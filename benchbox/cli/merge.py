"""``benchbox merge`` and ``import``: take in what was measured elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option, workspace_option


@commands.command()
@click.argument("workspaces", metavar="WORKSPACE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True, help="Workspace to write.")
def merge(workspaces: tuple[Path, ...], into: Path) -> None:
    """Take all measurements, streams and runs of WORKSPACEs into another one. Merging again changes nothing.

    A result is never replaced by a failure. Where two workspaces have other bytes under one key, the first stays, each
    codec is named, and the exit code is 1.
    """
    from benchbox import results
    from benchbox.store import Workspace

    if not results.merge(workspaces, Workspace.at(into), click.echo):
        sys.exit(1)


@commands.command("import")
@click.argument("published", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the run. [default: that of the folder]")
@plugin_option
@workspace_option
def import_(published: Path, name: str | None, plugin_paths: tuple[Path, ...], workspace: Path) -> None:
    """Take a folder that `benchbox publish` wrote into the workspace, as a run that others measured.

    It can then be named wherever a run can; reports say that it was imported. Its rows never count as measured here.
    """
    from benchbox import results
    from benchbox.plan import check_run_name
    from benchbox.store import Workspace

    place = Workspace.at(workspace)
    folder = published.parent if published.name == results.PUBLISHED else published
    called = check_run_name(folder.absolute().name if name is None else name)
    rows = results.import_run(folder, called, place)
    click.echo(f"{called}: {rows} rows in {place}, as they were published")
    if missing := results.unknown_metrics(results.find_run(called, place), load_plugins(plugin_paths)):
        click.echo(f"{called}: no plugin here offers {', '.join(missing)}; name its file with --plugin where the "
                   "run is shown", err=True)  # fmt: skip
