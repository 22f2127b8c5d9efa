"""Which files Python code in this process writes, and hiding them for a while.

What a library in another language or a child process writes is seen in a folder that is theirs only, as the worker's
temporary folder. Elsewhere no system says which process wrote a file, and hiding what merely looks new would take files
from other workers; `benchbox.work.view` hides it from one process alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_MOVED = frozenset({"os.rename", "os.link", "os.symlink"})


class WrittenFiles:
    """Notes files that are opened for writing, or put into their place, while `noting`. To be made once: a process
    keeps its audit hooks to its end."""

    def __init__(self) -> None:
        self._noting = False
        self._paths: set[str] = set()
        sys.addaudithook(self._hear)

    def forget(self) -> None:
        """Forget the files noted before."""
        self._paths.clear()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the files written inside."""
        self._noting = True
        try:
            yield
        finally:
            self._noting = False

    @property
    def paths(self) -> list[str]:
        """The files noted."""
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
def hidden(paths: Iterable[str], folder: str | None = None, spared: str = "") -> Iterator[None]:
    """Inside it the files at `paths`, and all that lies in `folder` but `spared`, lie under other names."""
    moved = []
    entries = _entries(folder) - {spared}
    for path in [*entries, *(path for path in paths if path not in entries)]:
        aside = f"{path}.benchbox-{os.getpid()}"
        with suppress(OSError):
            if path in entries or os.path.isfile(path):
                os.rename(path, aside)
                moved.append((aside, path))
    try:
        yield
    finally:
        for aside, path in reversed(moved):
            with suppress(OSError):
                os.replace(aside, path)


def _entries(folder: str | None) -> set[str]:
    if folder is None:
        return set()
    with suppress(OSError):
        return {os.path.join(folder, name) for name in os.listdir(folder)}
    return set()
