"""``benchbox list`` and ``benchbox doctor``: print what is installed, stored or missing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option, workspace_option
from benchbox.cli.plugin import built_in


@commands.command("list")
@click.argument(
    "kind", default="codecs",
    type=click.Choice(["codecs", "metrics", "datasets", "reports", "references", "plugins", "runs", "columns"]),
)  # fmt: skip
@click.argument("name", required=False)
@plugin_option
@workspace_option
def list_(kind: str, name: str | None, plugin_paths: tuple[Path, ...], workspace: Path) -> None:
    """List codecs, metrics, datasets, reports, references (published curves), plugins, runs, or columns of results.

    With NAME, all about that one: `benchbox list codecs webp` shows its options, with type, default and bounds, its
    capabilities, quality axis and identity, and where it comes from.
    """
    plugins = partial(load_plugins, plugin_paths)
    if name:
        from benchbox.cli import details

        found = details.lines(kind, name, plugins)
    else:
        from benchbox.cli import listing

        found = listing.lines(kind, workspace, plugins, built_in(click.get_current_context()))
    for line in found:
        click.echo(line)


@commands.command()
@plugin_option
def doctor(plugin_paths: tuple[Path, ...]) -> None:
    """Print this machine, all versions, and for everything missing the command that installs it."""
    from benchbox.cli import listing

    for line in listing.doctor(load_plugins(plugin_paths)):
        click.echo(line)
