"""A view of the disk in which the files that appeared since some moment are not there, for the second decoder.

A codec may keep the picture in a file that no Python code wrote: by a program that it runs, or a library in another
language. No system says who wrote a file, and hiding whatever is new would take files from other workers. So the second
decoder gets namespaces of its own (Linux: unshare(2)), in which it lays overlays over the folders with new files, and
deletes these there; nobody else sees that. Where the system does not let it, they stay in sight.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NEW_MOUNTS, NEW_IPC, NEW_USER = 0x20000, 0x8000000, 0x10000000
PRIVATE, DETACH = 0x40000 | 0x4000, 2
"""Flags of unshare(2), mount(2) (private, recursively) and umount2(2)."""

COARSE = 5
"""CLOCK_REALTIME_COARSE of clock_gettime(2), which may be some milliseconds behind; Linux dates files by it."""

MOST_ENTRIES = 4000
"""Entries of each place, nearest first, that are looked at."""


def now() -> int:
    """The time in nanoseconds by the clock that dates files."""
    return time.clock_gettime_ns(COARSE) if sys.platform == "linux" else time.time_ns()


class View:
    """The view of this process, which must have one thread when it is made. `folder` is for what the view needs.

    Attributes:
        own: whether it is this process's own, so that files can be hidden.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.own = False
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            with contextlib.suppress(OSError, AttributeError):
                self._unshare()
                self.own = True

    def since(self, moment: int | None, more: Iterable[Path] = ()) -> Mapping[str, list[str]]:
        """The files that were made or changed since `moment` (see `now`), for `without`, as far as they lie in the
        folders `more` or where programs write: the current folder, the home, those for temporary files."""
        if moment is None or not self.own:
            return {}
        places = [place for place in map(os.path.realpath, [*_places(), *more]) if place != "/"]
        return _by_overlay(_new_files(places, moment, self._folder), places, self._mounts)

    @contextmanager
    def without(self, files: Mapping[str, list[str]]) -> Iterator[None]:
        """Inside it these files of `since` are not there."""
        mounted: list[str] = []
        here = os.getcwd()
        try:
            for folder, paths in files.items():
                with contextlib.suppress(OSError):
                    self._hide(folder, paths, mounted)
            _enter(here)  # through what is mounted over it now
            yield
        finally:
            for folder in reversed(mounted):
                self._libc.umount2(os.fsencode(folder), DETACH)
            if mounted:
                _enter(here)
                for left in self._upper.iterdir():
                    shutil.rmtree(left, ignore_errors=True)

    def _unshare(self) -> None:
        user, group = os.geteuid(), os.getegid()
        if user and not _is_plain():
            raise OSError("would lose what it may read by its capabilities")
        flags = NEW_MOUNTS | NEW_IPC | (NEW_USER if user else 0)
        self._check(self._libc.unshare(flags))
        if user:  # may mount within a namespace of users, in which it stays who it is
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        self._check(self._libc.mount(None, b"/", None, PRIVATE, None))
        place = self._folder / ".view"
        place.mkdir()
        self._check(self._libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, b"mode=700"))
        self._upper = Path(f"/proc/self/fd/{os.open(place, os.O_PATH)}")  # an overlay may be laid over its path
        self._mounts = [point for point in _mount_points() if point != os.fspath(place)]

    def _hide(self, folder: str, paths: Iterable[str], mounted: list[str]) -> None:
        """Lay an overlay over `folder` and delete the files `paths`, which lie below it, there."""
        layer = Path(tempfile.mkdtemp(dir=self._upper))
        for part in ("upper", "work"):
            (layer / part).mkdir()
        below = os.open(folder, os.O_PATH)
        try:  # by number, since a folder's name may hold a comma
            options = f"lowerdir=/proc/self/fd/{below},upperdir={layer}/upper,workdir={layer}/work"
            options += ",userxattr" if os.geteuid() else ""
            self._check(self._libc.mount(b"overlay", os.fsencode(folder), b"overlay", 0, os.fsencode(options)))
        finally:
            os.close(below)
        mounted.append(folder)
        for path in paths:
            with contextlib.suppress(OSError):
                os.unlink(path)

    def _check(self, result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _is_plain() -> bool:
    """Whether this process has no capability."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return re.search(r"^CapEff:\s*0+$", status, re.MULTILINE) is not None


def _places() -> list[Path]:
    """Where programs write: the current folder, the home, and the system's folders for temporary files."""
    names = [os.getcwd(), os.environ.get("HOME", ""), "/tmp", "/var/tmp", "/dev/shm"]
    return [Path(name) for name in names if name]


def _by_overlay(files: Iterable[str], places: Sequence[str], mounts: Sequence[str]) -> Mapping[str, list[str]]:
    """Folder -> those of `files` to hide by an overlay over it: the outermost place that holds them, or their own
    folder where something else is mounted below that place; where that holds for it too, they are left in sight."""
    found: dict[str, list[str]] = {}
    for file in files:
        around = [place for place in sorted(places, key=len) if file.startswith(f"{place}/")]
        free = [folder for folder in (*around[:1], os.path.dirname(file))
                if not any(point.startswith(f"{folder}/") for point in mounts)]
        if free:
            found.setdefault(free[0], []).append(file)
    return found


def _new_files(places: Iterable[str], since: int, spared: Path) -> list[str]:
    """The files that were made or changed since `since`, below `places`. Workspaces and the folder `spared` are passed
    over; links to folders are not followed."""
    found: list[str] = []
    seen: set[str] = set()
    for place in dict.fromkeys(places):
        folders, left = deque([place]), MOST_ENTRIES
        while folders and left > 0:
            folder = folders.popleft()
            if folder in seen or folder == os.fspath(spared):
                continue
            seen.add(folder)
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                listed = list(entries)
                left -= len(listed)
                if any(entry.name == "store.sqlite" for entry in listed):
                    continue
                folders += [entry.path for entry in listed if entry.is_dir(follow_symlinks=False)]
                found += [entry.path for entry in listed if _is_new(entry, since)]
    return found


def _is_new(entry: os.DirEntry[str], since: int) -> bool:
    with contextlib.suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        return status.st_ctime_ns >= since and not stat.S_ISDIR(status.st_mode)
    return False


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]) for line in lines]


def _enter(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(folder)
