"""The rules for a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchbox.dataset import Dataset, DatasetInfo, Sample
from benchbox.errors import DatasetError, ImageError
from benchbox.image import check, digest
from benchbox.testing import manners
from benchbox.testing.check import Check, Rule, Scene, Subject, run_all
from benchbox.testing.trial import Trial


@dataclass(frozen=True)
class DatasetSubject(Subject):
    """The data set under test; `limit` samples of it are decoded."""

    info: DatasetInfo
    argument: str
    limit: int
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_datasets"

    @classmethod
    def of(cls, info: DatasetInfo, arguments: Mapping[str, Any], scene: Scene) -> DatasetSubject:
        """The subject of another process, made from its `arguments`."""
        return cls(info, arguments["argument"], arguments["limit"], scene)

    def arguments(self, folder: str) -> dict[str, Any]:
        return {"argument": self.argument, "limit": self.limit}

    @property
    def item(self) -> DatasetInfo:
        return self.info

    def opened(self) -> Dataset:
        """The opened data set."""
        try:
            return self.info.open(self.argument)
        except DatasetError:
            raise
        except Exception as error:
            self.raised("open", error, "raise DatasetError, which names the remedy")

    def steps(self, height: int, width: int) -> Iterator[tuple[Any, Callable[[], Any]]]:
        opened: list[Dataset] = []
        yield self.info.open, lambda: opened.append(self.opened())
        for sample in opened[0].samples[:1]:
            yield sample.load, sample.load


def check_dataset(info: DatasetInfo, argument: str = "", limit: int = 4) -> None:
    """Run every check of `dataset_checks`; raises PluginError with a line for each breach."""
    run_all(dataset_checks(info, argument, limit))


def dataset_checks(info: DatasetInfo, argument: str = "", limit: int = 4) -> list[Check]:
    """The checks for a data set, one callable each, for pytest to parametrise over.

    Args:
        info: the data set; raises DatasetError if it is missing here.
        argument: the text after the colon in ``ID:ARGUMENT``; ``""`` for a data set that takes none.
        limit: how many of its pictures are decoded.
    """
    reason = info.missing()
    if reason is not None:
        raise DatasetError(f"{info.id}: {reason}")
    return Trial(DatasetSubject(info, argument, limit), DATASET_RULES).checks()


def _names(subject: DatasetSubject) -> None:
    """The id fits a plan, the title is one line, and an argument is given exactly where one is declared."""
    subject.check_names(subject.info.id, subject.info.title)
    if bool(subject.info.argument) != bool(subject.argument):
        subject.breach(f"argument is declared as {subject.info.argument!r} and was given as {subject.argument!r}; "
                       "declare a word for it, as argument='PATH', exactly where it takes one")


def _types(subject: DatasetSubject) -> None:
    """`open` gives a Dataset with samples, whose methods give what they promise."""
    info = subject.info
    subject.check_arguments(info.open, "argument")
    data = subject.opened()
    if not isinstance(data, Dataset):
        subject.breach(f"open must give a benchbox Dataset, got {type(data).__name__}; return Dataset(id, title, "
                       "samples)", at=info.open)
    if not data.samples:
        subject.breach("it has no samples; raise a DatasetError that names the remedy", at=info.open)
    for sample in data.samples:
        if not isinstance(sample, Sample) or not isinstance(sample.id, str) or not sample.id.strip():
            subject.breach(f"each of its samples must be a benchbox Sample whose id is a text, got {sample!r}; correct "
                           "it", at=info.open)
        for method in (sample.load, sample.sha256, sample.stamp):
            subject.check_arguments(method)
    expected = f"{info.id}:{subject.argument}" if subject.argument else info.id
    if data.id != expected:
        subject.breach(f"the opened data set calls itself {data.id!r}, a plan names it {expected!r}; give it that id",
                       at=info.open)


def _stable(subject: DatasetSubject) -> None:
    """Opened twice, it lists the same samples in the same order."""
    first, second = subject.opened(), subject.opened()
    if [sample.id for sample in first.samples] != [sample.id for sample in second.samples]:
        subject.breach("opened twice, it lists other samples or another order; sort them", at=subject.info.open)


def _pixels(subject: DatasetSubject) -> None:
    """Samples keep the pixel contract, load to the same pixels twice, and have the digest that they promise."""
    for sample in subject.opened().samples[:subject.limit]:
        try:
            pixels = check(sample.load(), sample.id)
        except ImageError as error:
            subject.breach(f"sample {sample.id} cannot be used: {error}; load must give a uint8 or uint16 array "
                           "(H, W, C)", at=sample.load)
        except Exception as error:
            subject.raised(f"sample {sample.id}: load", error, "raise ImageError for a picture that cannot be used")
        if not np.array_equal(pixels, sample.load()):
            subject.breach(f"sample {sample.id} has other pixels each time it is loaded; give the same", at=sample.load)
        promised = sample.sha256()
        if promised is not None and promised != digest(pixels):
            subject.breach(f"sample {sample.id} promises the digest {promised} and has {digest(pixels)}; promise None "
                           "or that one", at=sample.sha256)
        if sample.stamp() != sample.stamp():
            subject.breach(f"the stamp of sample {sample.id} changes though its picture does not; return None",
                           at=sample.stamp)


DATASET_RULES: tuple[Rule[DatasetSubject], ...] = (
    Rule(_names),
    Rule(_types, needs="names"),
    Rule(_stable, needs="types"),
    Rule(_pixels, needs="stable"),
    Rule(manners.surroundings, needs="pixels"),
    Rule(manners.leftovers, needs="pixels"),
    Rule(manners.import_time, apart=True),
)
