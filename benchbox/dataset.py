"""A data set: an ordered list of samples, each a picture with an id. Plugins offer data sets as `DatasetInfo`."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox import image
from benchbox.errors import DatasetError, one_line, without_controls
from benchbox.image import Image
from benchbox.stated import Stated, stated


class Sample(ABC):
    """One picture of a data set. A worker opens the data set by its name and loads the sample by its id; only for a
    plain `FileSample` it reads the file without opening the data set.

    Attributes:
        id: unique within the data set, stable, readable; for files the path below the folder.
    """

    id: str

    @abstractmethod
    def load(self) -> Image:
        """The pixels under the pixel contract (see `benchbox.image`). Raises ImageError if the file cannot be used."""

    @abstractmethod
    def sha256(self) -> str | None:
        """`image.digest` of the pixels if it is known without decoding them, else None."""

    def size(self) -> tuple[int, int] | None:
        """(width, height) if it is known without decoding, else None; serves estimates only."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Remarks of the reader that whoever sees results must know: a profile that was not converted, a turned
        picture."""
        return ()

    def stamp(self) -> str | None:
        """A text that changes whenever the pixels may have changed (from path, size, times), so that a digest can be
        kept; None if there is none: the pixels are digested in every run. A run holds the stamps of 100 pictures
        against their pixels, and believes no stamp of a data set where one is wrong."""
        return None


_CLOCK_TICK = 2_000_000_000
"""Nanoseconds within which a file may change twice under one time stamp: that of the coarsest file system (FAT)."""


@dataclass(frozen=True)
class FileSample(Sample):
    """A picture in a file; `known_sha256` is the pixel digest that a manifest promises, or None."""

    id: str
    path: Path
    known_sha256: str | None = None

    def load(self) -> Image:
        return image.read(self.path).pixels

    def sha256(self) -> str | None:
        return self.known_sha256

    def size(self) -> tuple[int, int] | None:
        return image.declared_size(self.path)

    def notes(self) -> tuple[str, ...]:
        return image.notes(self.path)

    def stamp(self) -> str | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        place = os.fsencode(os.path.realpath(self.path)).decode("utf-8", "backslashreplace")  # stores take UTF-8 only
        times = f"{status.st_mtime_ns}|{status.st_ctime_ns}"  # cp -p, unzip and rsync set the first, none the second
        if time.time_ns() - status.st_ctime_ns <= _CLOCK_TICK:  # another change could leave the same times
            return None
        return f"{place}|{status.st_size}|{times}|{status.st_ino}"


_LONGEST_ID = 4096


@dataclass(frozen=True)
class Dataset:
    """An opened data set.

    Attributes:
        id: its name in a plan, argument included, e.g. ``"folder:photos"``.
        title: its name in reports.
        version: changes when the definition of its contents changes; ``""`` if only the pixel digests identify it.
        samples: in a stable order, ids unique.
        notes: sentences that every report must print: licence, lossy sources, what was passed over.
        source: where the pictures come from.
        passed_over: those of the notes that say what was left out of the place that was named; a run prints them.

    Raises:
        DatasetError: two samples have one id, one has an id that cannot be stored and shown, or what must be text is
            none.
    """

    id: str
    title: str
    samples: tuple[Sample, ...]
    version: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""
    passed_over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_kinds()
        ids = [sample.id for sample in self.samples]
        if len(set(ids)) != len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise DatasetError(f"data set {self.id}: two samples are called '{twice}'; sample ids must be unique")
        strange = [name for name in ids if not 0 < len(name) <= _LONGEST_ID or without_controls(name) != name]
        if strange:
            raise DatasetError(f"data set {self.id}: a sample is called {one_line(ascii(strange[0]), 80)}; sample ids "
                               f"must be 1 to {_LONGEST_ID} printable characters")

    def _check_kinds(self) -> None:
        """A record of the run that holds anything else could not be read again."""
        for name in ("id", "title", "version", "source"):
            if not isinstance(getattr(self, name), str):
                raise DatasetError(f"data set {self.id}: {name} must be text, not "
                                   f"{one_line(repr(getattr(self, name)), 80)}")
        held = (("notes", str, "texts"), ("passed_over", str, "texts"), ("samples", Sample, "Samples"))
        for name, kind, what in held:
            given: Any = getattr(self, name)
            if not isinstance(given, tuple | list) or not all(isinstance(one, kind) for one in given):
                shown = one_line(repr(given), 80)
                raise DatasetError(f"data set {self.id}: {name} must be a tuple of {what}, not {shown}")
        if any(not isinstance(sample.id, str) for sample in self.samples):
            raise DatasetError(f"data set {self.id}: the id of a sample must be text")


_OURS = (
    ("a workspace of benchbox", ("store.sqlite",)),
    ("a workspace of benchbox", ("lock", "streams")),
    ("a run of benchbox", ("plan.toml", "settings.json", "environment.json")),
    ("a published run of benchbox", ("results.parquet", "settings.json")),
)
"""(kind of folder, files that every folder of this kind holds)."""

_PAGES = {"index.html": "a report of benchbox", "visual.html": "a report of benchbox",
          "captions.md": "figures of benchbox"}  # fmt: skip
_MARKS = (b'<meta name="generator" content="benchbox ', b"# Captions")


def written_by_benchbox(folder: Path) -> str:
    """The kind of a folder that benchbox wrote ("a workspace of benchbox", ...), "" for any other folder.

    A search for pictures passes such folders over: their figures and decoded pictures are no pictures of a data set.
    """
    for what, names in _OURS:
        if all((folder / name).exists() for name in names):
            return what
    for name, what in _PAGES.items():
        if _is_page(folder / name) or (folder.name == "visual" and _is_page(folder.parent / "visual.html")):
            return what
    return ""


def _is_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return any(mark in head for mark in _MARKS)


def summarised(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Notes on pictures, by id, as one sentence a note that names the first pictures it is about."""
    about: dict[str, list[str]] = {}
    for sample, remarks in notes.items():
        for remark in dict.fromkeys(remarks):
            about.setdefault(remark, []).append(sample)
    return [f"{remark}: {len(samples)} picture{'s' * (len(samples) > 1)} ({', '.join(samples[:3])}"
            f"{' ...' * (len(samples) > 3)})" for remark, samples in about.items()]  # fmt: skip


MOST_TWINS = 3
"""Pictures of which it is said each by itself that a data set has them more than once."""


def twins(digests: Mapping[str, str]) -> list[str]:
    """Sentences on pictures that a data set has more than once, under several names, from the digests of their pixels
    (picture -> digest)."""
    found: dict[str, list[str]] = {}
    for sample, digest in digests.items():
        found.setdefault(digest, []).append(sample)
    same = [samples for samples in found.values() if len(samples) > 1]
    if len(same) <= MOST_TWINS:
        return [f"{', '.join(samples[:3])}{' ...' * (len(samples) > 3)} have the same pixels, so this picture counts "
                f"{len(samples)} times in every mean and interval" for samples in same]  # fmt: skip
    some = ", ".join(" = ".join(samples[:2]) for samples in same[:MOST_TWINS])
    names = sum(map(len, same))
    return [f"{len(same)} pictures are here under {names} names ({some} ...), and count as often in every mean and "
            "interval"]  # fmt: skip


FetchProgress = Callable[[str, int, int], None]
"""Called during a fetch with (file name, bytes so far, total bytes or 0 if unknown)."""


def public_name(dataset: str) -> str:
    """A data set's name for files that are given away: ``folder:/home/me/photos`` becomes ``folder:photos``."""
    kind, colon, argument = dataset.partition(":")
    return f"{kind}:{Path(argument).name}" if colon and "/" in argument else dataset


@dataclass(frozen=True)
class DatasetInfo(Stated, ABC):
    """A data set before it is opened. Plugins subclass it and return instances from their hook `benchbox_datasets`.
    Each attribute is an argument, or is written on the subclass.

    Attributes:
        id: lower-case, e.g. ``"kodak"``; a plan writes ``id`` or ``id:argument``.
        title: its name in lists and reports.
        argument: a word for what follows the colon, e.g. ``"PATH"``; ``""`` if the data set takes no argument.
        fetchable: whether `fetch` can download it.
    """

    id: str = stated(str)
    title: str = stated(str)
    argument: str = stated(str, default="")
    fetchable: bool = stated(bool, default=False)

    @abstractmethod
    def open(self, argument: str) -> Dataset:
        """List the samples without decoding any picture.

        Raises:
            DatasetError: it is missing or broken; the message names the remedy.
        """

    def missing(self) -> str | None:
        """None if the data set can be opened on this machine, else what to do about it."""
        return None

    def fetch(self, source: Path | None, progress: FetchProgress) -> Sequence[Path]:
        """Fetch the files from the network or, if given, from the folder or archive `source`; check every checksum.

        Returns the files now in place.

        Raises:
            DatasetError: the data set cannot be fetched, or a file is missing or not the one that was promised.
        """
        raise DatasetError(f"data set {self.id} cannot be fetched: see `benchbox list datasets`")
