"""benchbox_resnet: the suite's own learned codec, a residual network around a linear (KLT) shortcut.

`info` and `codec` are the door; behind it `network` is what is trained, `coding` turns pictures into streams, and
`training` fits the weights (`commands`). Importing this package imports neither torch nor numba; they are needed when
the codec is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    import click

    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The codec `resnet`, which is listed even where torch is absent."""
    from benchbox_resnet.info import RESNET

    return [RESNET]


@hookimpl
def benchbox_commands() -> Sequence[click.Command]:
    """The group `resnet`, for `benchbox resnet train` and others."""
    from benchbox_resnet.commands import resnet

    return [resnet]
