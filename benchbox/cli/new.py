"""``benchbox new``: write the folder of a plugin to start from."""

from __future__ import annotations

from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option
from benchbox.errors import UsageError


@commands.command()
@click.argument("kind", type=click.Choice(["codec", "metric", "dataset", "report", "references"]))
@click.argument("name")
@click.option("--torch", is_flag=True, help="A codec with a torch module, its weights in a file of their own.")
@click.option("--command", is_flag=True, help="A codec that is a command line, described in a TOML file.")
@plugin_option
def new(kind: str, name: str, torch: bool, command: bool, plugin_paths: tuple[Path, ...]) -> None:
    """Write a folder NAME with a plugin that works: module, entry point, test and README with the next commands."""
    from benchbox.cli.scaffold import Scaffold

    if (torch or command) and kind != "codec":
        raise UsageError(f"--torch and --command are for codecs; write: benchbox new {kind} {name}")
    if torch and command:
        raise UsageError("--torch and --command exclude each other; choose one")
    variant = "codec-torch" if torch else "codec-command" if command else kind
    files = Scaffold(kind, name, variant).write(load_plugins(plugin_paths))
    click.echo(f"{name}: {len(files)} files written, {', '.join(str(file) for file in files)}")
    click.echo(f"next: cd {name}; pip install -e . ; benchbox check {name} (see {name}/README.md)")
