"""``benchbox merge``: unites workspaces that never met."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from benchbox.cli.group import commands


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
