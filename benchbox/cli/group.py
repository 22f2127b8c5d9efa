"""The command group, to which the modules of this package add their commands, and options that several share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchbox.cli.plugin import PluginGroup

if TYPE_CHECKING:
    from benchbox.registry import Registry

workspace_option = click.option(
    "--workspace", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True,
    help="Folder that holds results and runs.",
)  # fmt: skip

plugin_option = click.option(
    "--plugin", "plugin_paths", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="A Python file with plugins, for this command only; also BENCHBOX_PLUGINS=FILE:FILE.",
)  # fmt: skip
"""Hands a command `plugin_paths`, from which `load_plugins` makes the registry."""


def load_plugins(paths: Iterable[Path] = ()) -> Registry:
    """Every installed plugin, the plugin files at `paths`, and those that ``BENCHBOX_PLUGINS`` names.

    Raises:
        UsageError, PluginError: one of the files is at fault; names it and the remedy.
    """
    from benchbox import registry  # imports numpy and every plugin
    from benchbox.plugin_file import plugin_files

    return registry.load(files=plugin_files(paths))


literature_option = click.option(
    "--literature", metavar="ID,ID...", default="", help="Published curves (`benchbox list references`)."
)


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="benchbox")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """Compare image codecs: sweep them over pictures, score the decoded pictures, report rate-distortion curves."""
