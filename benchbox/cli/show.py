"""``benchbox list`` and ``benchbox doctor``: print what is installed, stored or missing."""

from __future__ import annotations

from pathlib import Path

import click

from benchbox.cli.group import commands, workspace_option
from benchbox.cli.plugin import built_in


@commands.command("list")
@click.argument(
    "kind", default="codecs",
    type=click.Choice(["codecs", "metrics", "datasets", "reports", "references", "plugins", "runs", "columns"]),
)  # fmt: skip
@workspace_option
def list_(kind: str, workspace: Path) -> None:
    """List codecs, metrics, datasets, reports, references (published curves), plugins, runs, or columns of results."""
    from benchbox.cli import listing

    for line in listing.lines(kind, workspace, built_in(click.get_current_context())):
        click.echo(line)


@commands.command()
def doctor() -> None:
    """Print this machine, all versions, and for everything missing the command that installs it."""
    from benchbox.cli import listing

    for line in listing.doctor():
        click.echo(line)
