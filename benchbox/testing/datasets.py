"""What benchbox asks of a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchbox.dataset import Dataset, DatasetInfo
from benchbox.errors import DatasetError, ImageError
from benchbox.image import check, digest
from benchbox.testing.check import Check, breach, check_names, run_all, same_after_pickle


@dataclass(frozen=True)
class Subject:
    """The data set under test; `limit` samples of it are decoded."""

    info: DatasetInfo
    argument: str
    limit: int

    @property
    def id(self) -> str:
        return self.info.id

    def open(self) -> Dataset:
        return self.info.open(self.argument)


def check_dataset(info: DatasetInfo, argument: str = "", limit: int = 4) -> None:
    """Run every check of `dataset_checks`; raises PluginError with one line a breach."""
    run_all(dataset_checks(info, argument, limit))


def dataset_checks(info: DatasetInfo, argument: str = "", limit: int = 4) -> list[Check]:
    """The checks for a data set as callables, to be parametrised over.

    Args:
        info: the data set; it must be in place here (raises DatasetError when it is not).
        argument: what stands behind the colon.
        limit: how many of its pictures are decoded.
    """
    reason = info.missing()
    if reason is not None:
        raise DatasetError(f"{info.id}: {reason}")
    subject = Subject(info, argument, limit)
    return [Check(info.id, function.__name__.lstrip("_"), partial(function, subject)) for function in _CHECKS]


def _names(subject: Subject) -> None:
    check_names(subject.info.id, subject.info.title)
    if bool(subject.info.argument) != bool(subject.argument):
        breach(subject.id, f"argument is declared as {subject.info.argument!r} and was given as {subject.argument!r}")


def _pickle(subject: Subject) -> None:
    same_after_pickle(subject.id, subject.info)
    for sample in subject.open().samples[:subject.limit]:
        copy = same_after_pickle(subject.id, sample)
        if digest(copy.load()) != digest(sample.load()):
            breach(subject.id, f"sample {sample.id} has other pixels after a trip through pickle")


def _stable(subject: Subject) -> None:
    """Opened twice it lists the same samples in the same order, and is not empty."""
    first, second = subject.open(), subject.open()
    if not first.samples:
        breach(subject.id, "it has no samples; raise DatasetError that says what to do")
    if [sample.id for sample in first.samples] != [sample.id for sample in second.samples]:
        breach(subject.id, "opened twice it lists other samples or another order")
    if not all(isinstance(sample.id, str) and sample.id.strip() for sample in first.samples):
        breach(subject.id, "every sample needs an id of text")
    expected = f"{subject.info.id}:{subject.argument}" if subject.argument else subject.info.id
    if first.id != expected:
        breach(subject.id, f"the opened data set calls itself {first.id!r}; a plan names it {expected!r}")


def _pixels(subject: Subject) -> None:
    """Samples keep the pixel contract, load the same twice, and are what their digest promises."""
    for sample in subject.open().samples[:subject.limit]:
        try:
            pixels = check(sample.load(), sample.id)
        except ImageError as error:
            breach(subject.id, f"sample {sample.id} cannot be used: {error}")
        if not np.array_equal(pixels, sample.load()):
            breach(subject.id, f"sample {sample.id} has other pixels each time it is loaded")
        promised = sample.sha256()
        if promised is not None and promised != digest(pixels):
            breach(subject.id, f"sample {sample.id} promises the digest {promised} and has {digest(pixels)}")
        if sample.stamp() != sample.stamp():
            breach(subject.id, f"the stamp of sample {sample.id} changes though its picture does not")


_CHECKS: tuple[Callable[[Subject], None], ...] = (_names, _pickle, _stable, _pixels)
