"""Any command line as a codec: described in TOML, found by BENCHBOX_EXEC and in the user's configuration folder."""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import CodecInfo, hookimpl


@hookimpl
def benchbox_codecs() -> Sequence[CodecInfo]:
    """One `CodecInfo` a description found; a bad description is a codec that says what is wrong when asked."""
    from benchbox_exec import find

    return find.codecs(find.files())
