"""The checks for a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchbox.dataset import Dataset, DatasetInfo
from benchbox.errors import DatasetError, ImageError
from benchbox.image import check, digest
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

    @property
    def item(self) -> DatasetInfo:
        return self.info

    def open(self) -> Dataset:
        return self.info.open(self.argument)


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
    subject.check_names(subject.info.id, subject.info.title)
    if bool(subject.info.argument) != bool(subject.argument):
        subject.breach(f"argument is declared as {subject.info.argument!r} and was given as {subject.argument!r}")


def _stable(subject: DatasetSubject) -> None:
    """Opened twice, it lists the same samples in the same order, and it is not empty."""
    first, second = subject.open(), subject.open()
    if not first.samples:
        subject.breach("it has no samples; raise a DatasetError that names the remedy")
    if [sample.id for sample in first.samples] != [sample.id for sample in second.samples]:
        subject.breach("opened twice, it lists other samples or another order")
    if not all(isinstance(sample.id, str) and sample.id.strip() for sample in first.samples):
        subject.breach("the id of every sample must be a string that is not empty")
    expected = f"{subject.info.id}:{subject.argument}" if subject.argument else subject.info.id
    if first.id != expected:
        subject.breach(f"the opened data set calls itself {first.id!r}; a plan names it {expected!r}")


def _pixels(subject: DatasetSubject) -> None:
    """Samples keep the pixel contract, load to the same pixels twice, and have the digest that they promise."""
    for sample in subject.open().samples[:subject.limit]:
        try:
            pixels = check(sample.load(), sample.id)
        except ImageError as error:
            subject.breach(f"sample {sample.id} cannot be used: {error}")
        if not np.array_equal(pixels, sample.load()):
            subject.breach(f"sample {sample.id} has other pixels each time it is loaded")
        promised = sample.sha256()
        if promised is not None and promised != digest(pixels):
            subject.breach(f"sample {sample.id} promises the digest {promised} and has {digest(pixels)}")
        if sample.stamp() != sample.stamp():
            subject.breach(f"the stamp of sample {sample.id} changes though its picture does not")


DATASET_RULES: tuple[Rule[DatasetSubject], ...] = (
    Rule(_names),
    Rule(_stable, needs="names"),
    Rule(_pixels, needs="stable"),
)
