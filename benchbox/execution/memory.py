"""Counts the memory held by the workers of a run and by the processes that they started."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

import psutil

Held: TypeAlias = Callable[[Collection[int]], Mapping[int, int]]
"""What `held_below` does."""


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


class SharedLook:
    """`held_below` for threads that ask it of guards of their own: the system's process table is read once for all.

    Args:
        seconds: for so long the same reading is given again.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked: dict[int, float] = {}
        self._read = -seconds
        self._held: Mapping[int, int] = {}

    def __call__(self, guards: Collection[int]) -> Mapping[int, int]:
        now = time.monotonic()
        with self._lock:
            self._asked.update(dict.fromkeys(guards, now))
            if now - self._read >= self._seconds or any(guard not in self._held for guard in guards):
                self._asked = {guard: at for guard, at in self._asked.items() if now - at < 10 * self._seconds}
                self._held, self._read = held_below(self._asked), now
            return self._held
