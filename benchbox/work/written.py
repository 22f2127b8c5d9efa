"""Which files a codec leaves when it encodes, and hiding them while another process decodes.

Seen are the files that Python code in this process writes, and all files in the worker's own temporary folder, whoever
wrote them. What a library in another language or a child process leaves elsewhere is out of reach: which process wrote
a file is not recorded anywhere, and hiding what merely looks new would take files from other workers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_MOVED = frozenset({"os.rename", "os.link", "os.symlink"})


class WrittenFiles:
    """Notes files that are written while `noting`. To be made once: a process keeps its audit hooks to its end."""

    def __init__(self) -> None:
        self._noting = False
        self._paths: set[str] = set()
        sys.addaudithook(self._hear)

    def forget(self) -> None:
        """Forget the files noted before: those that are written from now on count."""
        self._paths.clear()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the files written inside."""
        self._noting = True
        try:
            yield
        finally:
            self._noting = False

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Inside it the files that were noted, and those in the temporary folder, lie under other names."""
        moved: list[tuple[str, str]] = []
        own = os.environ.get("TMPDIR", "")
        if os.path.basename(own).startswith("benchbox-worker-"):
            aside = os.path.join(own, f".aside-{os.getpid()}")
            with suppress(OSError):
                os.makedirs(aside, exist_ok=True)
                for name in os.listdir(own):
                    if not name.startswith(".aside-"):
                        _move(os.path.join(own, name), os.path.join(aside, name), moved)
        for path in sorted(self._paths):
            if os.path.isfile(path):
                _move(path, f"{path}.benchbox-{os.getpid()}", moved)
        try:
            yield
        finally:
            for there, path in reversed(moved):
                with suppress(OSError):
                    if not os.path.lexists(path):  # else it was written anew meanwhile
                        os.rename(there, path)

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


def _move(path: str, aside: str, moved: list[tuple[str, str]]) -> None:
    with suppress(OSError):
        os.rename(path, aside)
        moved.append((aside, path))
