"""Which files Python code in this process writes, and hiding them for a while."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_MOVED = frozenset({"os.rename", "os.link", "os.symlink"})


class WrittenFiles:
    """Notes files that are opened for writing, or put into their place, while `noting`. What a library in another
    language or another process writes is not seen. To be made once: a process keeps its audit hooks to its end."""

    def __init__(self) -> None:
        self._noting = False
        self._paths: set[str] = set()
        sys.addaudithook(self._hear)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the files written inside, and forget those noted before."""
        self._paths.clear()
        self._noting = True
        try:
            yield
        finally:
            self._noting = False

    @property
    def paths(self) -> list[str]:
        """The files noted last."""
        return sorted(self._paths)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._noting:
            return
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self._note(arguments[0])
        elif event in _MOVED:
            self._note(arguments[1])

    def _note(self, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            with suppress(OSError, ValueError):
                self._paths.add(os.path.abspath(os.fsdecode(path)))


@contextmanager
def hidden(paths: Iterable[str]) -> Iterator[None]:
    """Inside it the files at `paths` lie under other names."""
    moved = []
    for path in paths:
        aside = f"{path}.benchbox-{os.getpid()}"
        with suppress(OSError):
            if os.path.isfile(path):
                os.rename(path, aside)
                moved.append((aside, path))
    try:
        yield
    finally:
        for aside, path in moved:
            with suppress(OSError):
                os.replace(aside, path)
