"""The command group, to which the modules of this package add their commands, and options that several share."""

from __future__ import annotations

from pathlib import Path

import click

from benchbox.cli.plugin import PluginGroup

workspace_option = click.option(
    "--workspace", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True,
    help="Folder that holds results and runs.",
)  # fmt: skip

literature_option = click.option(
    "--literature", metavar="ID,ID...", default="", help="Published curves (`benchbox list references`)."
)


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="benchbox")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """Compare image codecs: sweep them over pictures, score the decoded pictures, report rate-distortion curves."""
