"""benchbox_resnet: the suite's own learned codec, a residual network around a linear (KLT) shortcut.

Importing this package imports neither torch nor numba; they are needed when the codec is opened.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import CodecInfo, hookimpl


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The codec `resnet`; it says what is missing when asked."""
    from benchbox_resnet.info import RESNET

    return [RESNET]
