"""``benchbox compressai fetch``: downloads the weights of CompressAI's zoo."""

from __future__ import annotations

import click

from benchbox_compressai import weights


@click.group()
def compressai() -> None:
    """The models of CompressAI's zoo."""


@compressai.command()
@click.argument("model")
@click.option("--metric", type=click.Choice(["mse", "ms-ssim"]), default="mse", show_default=True,
              help="The metric that the weights were trained for.")
def fetch(model: str, metric: str) -> None:
    """Download the weights of a MODEL that are not there yet, e.g. bmshj2018-hyperprior."""
    for path in weights.fetch(model, metric):
        click.echo(path)
