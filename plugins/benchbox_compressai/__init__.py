"""The models of CompressAI's zoo as codecs, with real bitstreams. Importing this package imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import CodecInfo, hookimpl


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """One `CodecInfo` a model; without compressai, or without weights, they say so when asked."""
    from benchbox_compressai import codec

    return codec.CODECS
