"""Counts the memory held by the processes that the workers of a run started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import psutil

Children = Callable[[int], Sequence[int]]
"""Gives the ids of a process's children."""


def held_below(guards: Collection[int]) -> dict[int, int]:
    """For each of the process ids `guards`: bytes held by the processes that its worker started.

    A guard's children are the worker, the worker's second decoder, and orphans; each has its own share of what lies
    below it. The largest share counts, since the worker waits while the second decoder is at work.
    """
    if not guards:
        return {}
    children = _listed_children if _task_of(os.getpid(), os.getpid()).exists() else _children_in_table()
    return {guard: max((sum(map(_held, _below(child, children))) for child in children(guard)), default=0)
            for guard in guards}  # fmt: skip


def _below(pid: int, children: Children) -> Iterator[int]:
    waiting, seen = list(children(pid)), {pid}
    while waiting:
        one = waiting.pop()
        if one not in seen:  # an id may be given anew while this goes on
            seen.add(one)
            yield one
            waiting += children(one)


def _held(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0


def _task_of(pid: int, thread: int) -> Path:
    return Path("/proc", str(pid), "task", str(thread), "children")


def _listed_children(pid: int) -> list[int]:
    """From the entry of the process: quicker than the table of all processes, the more of them there are."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, _task_of(pid, int(thread)).read_bytes().split())
    return found


def _children_in_table() -> Children:
    """From the system's table of all processes, where a process has no entry of its own."""
    table: dict[int, list[int]] = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            table.setdefault(process.ppid(), []).append(process.pid)
    return lambda pid: table.get(pid, [])
