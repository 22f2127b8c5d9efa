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
@click.argument("name", required=False)
@workspace_option
def list_(kind: str, name: str | None, workspace: Path) -> None:
    """List codecs, metrics, datasets, reports, references (published curves), plugins, runs, or columns of results.

    With NAME, all about that one: `benchbox list codecs webp` shows its options, with type, default and bounds, its
    capabilities, quality axis and identity, and where it comes from.
    """
    from benchbox.cli import details, listing

    context = click.get_current_context()
    found = listing.lines(kind, workspace, built_in(context)) if name is None else details.lines(kind, name)
    for line in found:
        click.echo(line)


@commands.command()
def doctor() -> None:
    """Print this machine, all versions, and for everything missing the command that installs it."""
    from benchbox.cli import listing

    for line in listing.doctor():
        click.echo(line)
