"""The command ``benchbox dataset``."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def dataset() -> None:
    """Make data sets of your own (`benchbox fetch` brings the known ones)."""


@dataset.command()
@click.argument("folder", type=click.Path(path_type=Path))
def describe(folder: Path) -> None:
    """Print the manifest of the pictures in FOLDER and below it; save it as FOLDER/manifest.toml."""
    from benchbox_datasets.describe import describe as manifest_of  # reads pictures: not needed to list commands

    click.echo(manifest_of(folder), nl=False)
