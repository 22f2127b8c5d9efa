"""Any command line as a codec: described in a TOML file, found through BENCHBOX_EXEC or in the configuration folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import CodecInfo


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """One codec for each description found; a bad description is listed as an unavailable codec with the reason."""
    from benchbox_exec import find

    return find.codecs(find.files())
