"""Counts the memory held by the workers of a run and by the processes that they started."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection

import psutil


def held_below(guards: Collection[int]) -> dict[int, int]:
    """For each of the process ids `guards`: bytes held by the processes that its worker started.

    A guard's children are the worker, the worker's second decoder, and orphans; each has its own share of what lies
    below it. The largest share counts, since the worker waits while the second decoder is at work.
    """
    family = {process.pid: process for process in psutil.Process().children(recursive=True)}
    parents: dict[int, int] = {}
    for pid, process in family.items():
        with contextlib.suppress(psutil.Error):
            parents[pid] = process.ppid()
    shares: Counter[tuple[int, int]] = Counter()
    for pid, process in family.items():
        top = pid
        while parents.get(top) in family and parents[top] not in guards:
            top = parents[top]
        guard = parents.get(top)
        if guard in guards and guard is not None and top != pid:
            with contextlib.suppress(psutil.Error):
                shares[guard, top] += int(process.memory_info().rss)
    return {guard: max((held for (of, _), held in shares.items() if of == guard), default=0) for guard in guards}
