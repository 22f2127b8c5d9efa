"""``benchbox encode`` and ``decode``: one picture through one codec."""

from __future__ import annotations

from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option


@commands.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("-c", "--codec", required=True, metavar="ID[:OPTIONS]", help="e.g. jpeg or webp:method=6")
@click.option("-q", "--quality", type=float, help="Value on the codec's axis. [default: middle of its sweep]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N, or auto.")
@plugin_option
def encode(
    picture: Path, codec: str, quality: float | None, output: Path, device: str, plugin_paths: tuple[Path, ...]
) -> None:
    """Encode one PICTURE with a codec and write its stream."""
    from benchbox.cli import one_picture

    click.echo(one_picture.encode(picture, codec, quality, output, device, load_plugins(plugin_paths)))


@commands.command()
@click.argument("stream", type=click.Path(path_type=Path))
@click.option("-c", "--codec", metavar="ID[:OPTIONS]", help="[default: the codec of the file's suffix, or of that id]")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A PNG file.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N, or auto.")
@plugin_option
def decode(
    stream: Path, codec: str | None, output: Path, device: str, plugin_paths: tuple[Path, ...]
) -> None:
    """Decode a STREAM and write the picture as PNG."""
    from benchbox.cli import one_picture

    click.echo(one_picture.decode(stream, codec, output, device, load_plugins(plugin_paths)))
