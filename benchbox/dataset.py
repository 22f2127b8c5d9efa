"""A data set: an ordered list of samples, each a picture with an id. Plugins offer data sets as `DatasetInfo`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbox import image
from benchbox.errors import DatasetError
from benchbox.image import Image


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

    def stamp(self) -> str | None:
        """A text that changes whenever the pixels may have changed (of path, size, time), so that a digest can be kept;
        None if there is none: the pixels are digested in every run."""
        return None


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

    def stamp(self) -> str | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        place = os.fsencode(self.path.resolve()).decode("utf-8", "backslashreplace")  # stores take UTF-8 only
        return f"{place}|{status.st_size}|{status.st_mtime_ns}"


@dataclass(frozen=True)
class Dataset:
    """An opened data set.

    Attributes:
        id: its name in a plan, argument included, e.g. ``"folder:photos"``.
        title: its name in reports.
        version: changes when the definition of its contents changes; ``""`` if only the pixel digests identify it.
        samples: in a stable order, ids unique.
        notes: sentences that every report must print: licence, lossy sources, skipped files.
        source: where the pictures come from.

    Raises:
        DatasetError: two samples have one id.
    """

    id: str
    title: str
    samples: tuple[Sample, ...]
    version: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        ids = [sample.id for sample in self.samples]
        if len(set(ids)) != len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise DatasetError(f"data set {self.id}: two samples are called '{twice}'; sample ids must be unique")


FetchProgress = Callable[[str, int, int], None]
"""Called during a fetch with (file name, bytes so far, total bytes or 0 if unknown)."""


def public_name(dataset: str) -> str:
    """A data set's name for files that are given away: ``folder:/home/me/photos`` becomes ``folder:photos``."""
    kind, colon, argument = dataset.partition(":")
    return f"{kind}:{Path(argument).name}" if colon and "/" in argument else dataset


@dataclass(frozen=True)
class DatasetInfo(ABC):
    """A data set before it is opened. Plugins subclass it and return instances from their hook `benchbox_datasets`.

    Attributes:
        id: lower-case, e.g. ``"kodak"``; a plan writes ``id`` or ``id:argument``.
        title: its name in lists and reports.
        argument: a word for what follows the colon, e.g. ``"PATH"``; ``""`` if the data set takes no argument.
        fetchable: whether `fetch` can download it.
    """

    id: str
    title: str
    argument: str = ""
    fetchable: bool = False

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
