"""The rules for what a plugin leaves behind in its process, for any kind of plugin."""

from __future__ import annotations

import gc
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import benchbox
from benchbox.processes import descendants
from benchbox.testing.check import Subject
from benchbox.testing.surroundings import watched

MOST_IMPORT_SECONDS = 0.5
"""Every command imports every plugin."""

_BUSY_SECONDS = 0.005
"""The processor time from which on another thread counts as used."""

_OURS = tuple(str(Path(place).resolve()) for place in (Path(benchbox.__file__).parent, sysconfig.get_path("stdlib")))


def import_time(subject: Subject) -> None:
    """The import of the plugin takes no longer than `MOST_IMPORT_SECONDS`."""
    seconds = subject.own_scene().import_seconds
    if seconds > MOST_IMPORT_SECONDS:
        subject.breach(f"importing it takes {seconds:.1f} s, and every command imports every plugin; import heavy "
                       f"libraries in `open`, so that it takes less than {MOST_IMPORT_SECONDS} s", at=subject.item)


def surroundings(subject: Subject) -> None:
    """Neither the import nor any call prints, warns, or changes what all plugins of a process share."""
    _complain(subject, "importing it", list(subject.own_scene().changes), None)
    for method, call in subject.steps(63, 65):
        found: list[str] = []
        with watched(found):
            call()
        _complain(subject, method.__name__, found, method)


def _complain(subject: Subject, what: str, found: list[str], method: Any) -> None:
    if found:
        subject.breach(f"{what} {' and '.join(found[:3])}; leave alone what all plugins of a process share",
                       at=method)


def threads(subject: Subject) -> None:
    """No call starts a thread or computes on more than one."""
    subject.own_scene()
    started: list[str] = []
    begun, used = time.perf_counter(), time.process_time()
    with _threads_heard(started), _sampled() as busy:
        for method, call in subject.steps(192, 256):
            started.clear()
            call()
            if started:
                subject.breach(f"{method.__name__} starts a thread ({started[0]}); compute on one thread unless an "
                               "option says otherwise", at=method)
    # a library may hand its work from thread to thread, as x265 does: what counts is that they compute side by side
    if len(busy) > 1 and time.process_time() - used > 1.2 * (time.perf_counter() - begun):
        subject.breach(f"its calls compute on {len(busy)} more threads; set the library to one unless an option says "
                       "otherwise", at=_class_of(method))


def leftovers(subject: Subject) -> None:
    """Files that calls open are closed and processes that they start are ended by the end of `close`."""
    subject.own_scene()
    counts = []
    for _ in range(5):
        for method, call in subject.steps(63, 65):  # noqa: B007 (the last one counts)
            call()
        gc.collect()
        counts.append(_descriptors())
    del counts[:2]  # libraries open a few files once
    growth = [set(after) - set(before) for before, after in pairwise(counts)]
    if all(growth):
        name = counts[-1][min(growth[-1])]
        subject.breach(f"every round of calls leaves {min(map(len, growth))} more file(s) open, as {name}; close what "
                       "is opened", at=_class_of(method))
    running = [pid for pid in descendants() if not _ended(pid)]
    if running:
        subject.breach(f"{len(running)} process(es) that it started are still there after close, as "
                       f"{_command(running[0])!r}; end and wait for them", at=_class_of(method))


def _class_of(method: Any) -> type:
    """The class of the object that a method was called on last: of a codec, a prepared reference ..."""
    return type(getattr(method, "__self__", method))


def _descriptors() -> dict[int, str]:
    found = {}
    for entry in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found[int(entry)] = os.readlink(f"/proc/self/fd/{entry}")
    return found


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()[:80]
    return str(pid)


@contextmanager
def _threads_heard(started: list[str]) -> Iterator[None]:
    """Note the places at which code outside the core starts a thread."""
    start = threading.Thread.start

    def heard(thread: threading.Thread) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith((_OURS[1], "<")):
            frame = frame.f_back
        if frame is not None and not frame.f_code.co_filename.startswith(_OURS[0]):
            started.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        start(thread)

    threading.Thread.start = heard  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]


@contextmanager
def _sampled() -> Iterator[list[int]]:
    """Fill the list with the threads, other than the main one, that computed longer than `_BUSY_SECONDS`."""
    busy: list[int] = []
    before, seen = _processor_times(), {}
    stop = threading.Event()

    def look() -> None:
        own.append(threading.get_native_id())
        while not stop.is_set():
            seen.update(_processor_times())
            time.sleep(0.002)

    own: list[int] = []
    sampler = threading.Thread(target=look, daemon=True)
    sampler.start()
    try:
        yield busy
    finally:
        stop.set()
        sampler.join()
        spared = {os.getpid(), *own}
        busy += [thread for thread, seconds in seen.items()
                 if thread not in spared and seconds - before.get(thread, 0.0) > _BUSY_SECONDS]  # fmt: skip


def _processor_times() -> dict[int, float]:
    """The processor time of each thread of this process, in seconds."""
    found = {}
    for entry in os.listdir("/proc/self/task"):
        with suppress(OSError, ValueError, IndexError):
            found[int(entry)] = int(Path(f"/proc/self/task/{entry}/schedstat").read_text().split()[0]) / 1e9
    return found
