"""Keeps a report from writing, by Python, anywhere but into its own folder: the run and the pages of others stay whole.

What a library in another language writes is not seen here.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NEAR = 5
"""Folders above a report's own in which it may write nothing else: up to the workspace."""
_WRITTEN = {"open": 0, "os.truncate": 0, "os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}
"""Event of `sys.addaudithook` -> its argument that names what is written."""
_REMOVED = {"os.remove": 0, "os.rmdir": 0, "shutil.rmtree": 0, "os.rename": 0}
"""Event -> its argument that names what goes."""
_FROM_A_FOLDER = frozenset({"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir"})
"""Events whose last argument is an open folder that paths start from, or -1."""


@dataclass(frozen=True)
class _Rules:
    """What code that has the folder `own` may write. `kept` is where nothing else may be written, whatever it is
    called; `home` and `temporary` are the user's folders, `known` the names that lie in the latter already."""

    own: Path
    kept: Path
    home: Path
    temporary: Path
    known: frozenset[str]

    @classmethod
    def of(cls, own: Path) -> _Rules:
        own, home, temporary = own.resolve(), Path(os.path.expanduser("~")).resolve(), own
        known: frozenset[str] = frozenset()
        with suppress(OSError):  # there is none, or it cannot be listed
            temporary = Path(tempfile.gettempdir()).resolve()
            known = frozenset(os.listdir(temporary))
        near = [folder for folder in own.parents[:_NEAR] if not home.is_relative_to(folder)
                and not temporary.is_relative_to(folder)]  # fmt: skip
        return cls(own, near[-1] if near else own.parent, home, temporary, known)

    def may_write(self, path: Path) -> bool:
        """Whether `path` is its own, a temporary file that was not there before, a cache of a library or a device."""
        if path.is_relative_to(self.own):
            return True
        if path.is_relative_to(self.kept):
            return False
        if _below(path, self.home).startswith(".") or any("cache" in part.lower() for part in path.parts):
            return True
        if first := _below(path, self.temporary):
            return first not in self.known
        return _below(path, Path("/")) in ("dev", "proc")

    def may_remove(self, path: Path) -> bool:
        """As `may_write`, but of all temporary files: objects that are gone remove theirs at any moment."""
        temporary = path.is_relative_to(self.temporary) and not path.is_relative_to(self.kept)
        return self.may_write(path) or (temporary and not self.own.is_relative_to(path))


def _below(path: Path, folder: Path) -> str:
    """The name in `folder` that leads to `path`; "" where none does."""
    return path.relative_to(folder).parts[0] if folder in path.parents else ""


class _Watch:
    """Made once: a process keeps its audit hooks to its end. Each thread has rules of its own, or none."""

    def __init__(self) -> None:
        self._thread = threading.local()
        sys.addaudithook(self._hear)

    @contextmanager
    def under(self, rules: _Rules | None) -> Iterator[None]:
        before = getattr(self._thread, "rules", None)
        self._thread.rules = rules
        try:
            yield
        finally:
            self._thread.rules = before

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _WRITTEN and event not in _REMOVED:
            return
        rules: _Rules | None = getattr(self._thread, "rules", None)
        if rules is None:
            return
        writes = event != "open" or (isinstance(arguments[2], int) and arguments[2] & _WRITING)
        if not writes or (event in _FROM_A_FOLDER and arguments[-1] >= 0):
            return  # the latter in the middle of `shutil.rmtree`, which has asked for the whole
        if event in _WRITTEN:
            _refuse(arguments[_WRITTEN[event]], rules.may_write, follow=event in ("open", "os.truncate"))
        if event in _REMOVED:
            allowed = rules.may_write if event == "os.rename" else rules.may_remove
            _refuse(arguments[_REMOVED[event]], allowed, follow=False)


def _refuse(named: Any, allowed: Callable[[Path], bool], follow: bool) -> None:
    """Raise PermissionError where the path `named` is not allowed. With `follow` it is what a link leads to."""
    if not isinstance(named, str | bytes | os.PathLike):  # an open file's number
        return
    path = os.path.abspath(os.fsdecode(named))
    folder, name = os.path.split(path)
    real = Path(os.path.realpath(path) if follow else os.path.join(os.path.realpath(folder), name))
    if not allowed(real) and not (follow and real.is_dir()):  # files without a name are opened as their folder
        raise PermissionError(errno.EACCES, "a report writes only into the folder that it was given; write there",
                              str(real))  # fmt: skip


@cache
def _watch() -> _Watch:
    return _Watch()


@contextmanager
def confined(own: Path) -> Iterator[None]:
    """Inside it, PermissionError meets this thread's Python code where it writes or removes a file that lies neither in
    the folder `own` nor among temporary files or caches of libraries."""
    with _watch().under(_Rules.of(own)):
        yield


@contextmanager
def at_large() -> Iterator[None]:
    """Inside it nothing is refused: what a report has done by benchbox, as decoding a picture."""
    with _watch().under(None):
        yield
