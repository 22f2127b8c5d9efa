"""The failures of a run as its summary shows them: those that differ only in what is new each time are one."""

from __future__ import annotations

import re
from collections.abc import Iterable

Failure = tuple[str, str, str, int]
"""(label, status, reason, rows)."""

_NEW_EACH_TIME = re.compile(r"0x[0-9a-f]{4,}|(?:/[^\s'\"/]+)*/(?:tmp|benchbox-[a-z]+-)[a-z0-9_]{8}\b[^\s'\",;)]*")
"""Addresses in memory, and paths in a worker's temporary folder."""


def merged(failures: Iterable[Failure]) -> list[Failure]:
    """`failures` with those added up whose reasons differ only by addresses and temporary paths, most rows first; the
    reason is that of the first."""
    found: dict[tuple[str, str, str], Failure] = {}
    for label, status, reason, rows in failures:
        kind = label, status, _NEW_EACH_TIME.sub("…", reason)
        _, _, first, known = found.get(kind, (label, status, reason, 0))
        found[kind] = label, status, first, known + rows
    return sorted(found.values(), key=lambda failure: -failure[3])
