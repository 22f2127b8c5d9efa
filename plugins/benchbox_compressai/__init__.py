"""The models of CompressAI's zoo as codecs, with real bitstreams. Importing this package does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    import click

    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """One codec for each model; without compressai or without weights it is listed as unavailable."""
    from benchbox_compressai import codec

    return codec.CODECS


@hookimpl
def benchbox_commands() -> Sequence[click.Command]:
    """``benchbox compressai``."""
    from benchbox_compressai import commands

    return [commands.compressai]
