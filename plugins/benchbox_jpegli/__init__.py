"""Jpegli, the JPEG encoder and decoder of the JPEG XL project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """The one codec; without pyjpegli it is listed as unavailable."""
    from benchbox_jpegli import jpegli

    return [jpegli.JPEGLI]
