"""What a data set is to benchbox: an ordered list of samples, each a picture with an id."""

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
    """One picture of a data set. Picklable and self-contained: workers load it without the data set.

    Attributes:
        id: unique within the data set, stable, readable; for files the path below the folder.
    """

    id: str

    @abstractmethod
    def load(self) -> Image:
        """The pixels under the pixel contract. Raises ImageError for a file that cannot be used."""

    @abstractmethod
    def sha256(self) -> str | None:
        """`image.digest` of the pixels if it is known without decoding, else None."""

    def size(self) -> tuple[int, int] | None:
        """(width, height) if it can be told without decoding; for estimates only."""
        return None

    def stamp(self) -> str | None:
        """Changes whenever the pixels may have changed (path, size, time); None: digest it every time."""
        return None


@dataclass(frozen=True)
class FileSample(Sample):
    """A picture in a file; `known_sha256` is the pixel digest a manifest promises, if one does."""

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
        id: how a plan names it, argument included, e.g. ``"folder:photos"``.
        title: for reports.
        version: changes with its contents' definition; ``""`` where the pixel digests alone tell.
        samples: in a stable order, ids unique.
        notes: what every report must say: licence, lossy sources, files that were passed over.
        source: where the pictures come from.
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
            raise DatasetError(f"data set {self.id}: two samples are called '{twice}'")


Progress = Callable[[str, int, int], None]
"""Called while fetching with (file name, bytes so far, bytes in all or 0 where unknown)."""


@dataclass(frozen=True)
class DatasetInfo(ABC):
    """What is known of a data set without opening it; plugins subclass it and list instances in their hook.

    Attributes:
        id: lower-case, e.g. ``"kodak"``; a plan may write ``id:argument``.
        title: for lists and reports.
        argument: what stands behind the colon, e.g. ``"PATH"``; ``""`` where nothing may.
        fetchable: whether `fetch` can bring it.
    """

    id: str
    title: str
    argument: str = ""
    fetchable: bool = False

    @abstractmethod
    def open(self, argument: str) -> Dataset:
        """List the samples (no picture is decoded).

        Raises:
            DatasetError: it is missing or broken; the message says exactly what to do.
        """

    def missing(self) -> str | None:
        """None if the data set can be opened here; else what to do."""
        return None

    def fetch(self, source: Path | None, progress: Progress) -> Sequence[Path]:
        """Bring the files, from the network or, if given, from the folder or archive `source`; check every sum.

        Returns the files now in place.
        """
        raise DatasetError(f"data set {self.id} is not one that can be fetched")


def public_name(dataset: str) -> str:
    """A data set's name as files for others give it: ``folder:/home/me/photos`` is ``folder:photos``."""
    kind, colon, argument = dataset.partition(":")
    return f"{kind}:{Path(argument).name}" if colon and "/" in argument else dataset
