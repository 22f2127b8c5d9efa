"""Jobs and their parts: an operating point, a job of several points, a row of a run, and the store's state of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import ConfigDict, TypeAdapter, ValidationError

from benchbox.dataset import FileSample, Sample
from benchbox.errors import StoreError
from benchbox.plan.plan import Timing
from benchbox.values import wrong

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class SampleName:
    """What a worker needs to load a sample: the data set as a plan names it, the sample's id, and, where the sample is
    an ordinary file, the path of that file, so that the data set need not be opened.

    Attributes:
        file: percent-encoded, since the bytes of a path need not be text; None for samples of any other class.
    """

    __pydantic_config__ = _STRICT

    dataset: str
    sample: str
    file: str | None = None

    @classmethod
    def of(cls, dataset: str, sample: Sample) -> Self:
        """The name of `sample`, which is in the data set `dataset`."""
        if isinstance(sample, FileSample) and type(sample) is FileSample:  # a subclass may load in its own way
            return cls(dataset, sample.id, quote_from_bytes(os.fsencode(sample.path.absolute())))
        return cls(dataset, sample.id)

    @property
    def path(self) -> Path | None:
        """The file to read, if the sample is an ordinary file."""
        return None if self.file is None else Path(os.fsdecode(unquote_to_bytes(self.file)))


@dataclass(frozen=True)
class Point:
    """One operating point of a job: encode at `quality` and score with `metrics`. If `stream` is the SHA-256 of a kept
    stream, that stream is only decoded and scored; `scored` are the metrics whose scores of it are kept, for the case
    that it is damaged and encoding gives another."""

    __pydantic_config__ = _STRICT

    key: str
    quality: float | None
    metrics: tuple[str, ...]
    stream: str | None = None
    scored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """The missing operating points of one sample with one codec configuration. Plain data: workers look codecs up by
    id. If `timing` is set, the points were measured before and are timed under that protocol.

    Attributes:
        given_up: metric id -> why it is given up: it is not computed, and the reason is stored in its place.
    """

    __pydantic_config__ = _STRICT

    sample: SampleName
    sample_sha256: str
    codec: str
    label: str
    options: str
    identity: str
    device: str
    points: tuple[Point, ...]
    timing: Timing | None = None
    given_up: Mapping[str, str] = field(default_factory=dict)

    def only(self, points: Iterable[Point]) -> Job:
        """The same job with only these points."""
        return replace(self, points=tuple(points))

    def as_json(self) -> dict[str, Any]:
        """The job as JSON values, from which `from_json` makes it again."""
        values: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, values: Any) -> Job:
        """The job of `as_json`. Raises StoreError if `values` lack a field, have another one or one of another type."""
        try:
            return _adapter().validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "job"
            raise StoreError(f"not a job of this version of benchbox: {where} {wrong(first)}") from None


@cache
def _adapter() -> TypeAdapter[Job]:
    return TypeAdapter(Job)


class Entry(NamedTuple):
    """One row that a run will have: the point `key`, in a data set, under a sample id."""

    key: str
    dataset: str
    sample: str
    label: str
    codec: str
    quality: float | None


@dataclass(frozen=True)
class Have:
    """The state of an encoding in the store.

    Attributes:
        measured: true if it counts as measured and is not encoded again.
        stream: SHA-256 of its stream if that is kept, else None.
        scored: metrics that have a value, or a reason for having none.
        changed: id of its codec if that was measured with other files of its plugin, else "".
    """

    measured: bool
    stream: str | None
    scored: frozenset[str]
    changed: str = ""

    def lacks(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Those of `metrics` that are not scored."""
        return tuple(metric for metric in metrics if metric not in self.scored)
