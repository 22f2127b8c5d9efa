"""The work orders: an operating point, a job of several of them, a row of a run, and what the store has of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchbox.dataset import Sample
from benchbox.plan.plan import Timing


@dataclass(frozen=True)
class Point:
    """One operating point of a job: encode at `quality` and score with `metrics`; or, where `stream` names a kept
    stream by its SHA-256, only decode that and score."""

    key: str
    quality: float | None
    metrics: tuple[str, ...]
    stream: str | None = None


@dataclass(frozen=True)
class Job:
    """One sample x one codec configuration x its missing operating points. Plain data: workers look codecs up by id.
    With `timing` the points, measured before, are timed under that protocol."""

    sample: Sample
    sample_sha256: str
    codec: str
    label: str
    options: str
    identity: str
    device: str
    points: tuple[Point, ...]
    timing: Timing | None = None

    def only(self, points: Iterable[Point]) -> Job:
        """The same job with these points."""
        return replace(self, points=tuple(points))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that a run will have: which point, of which data set, under which sample id."""

    key: str
    dataset: str
    sample: str
    label: str
    codec: str
    quality: float | None


@dataclass(frozen=True)
class Have:
    """What the store holds of an encoding.

    Attributes:
        measured: whether it counts as measured, so that it is not encoded again.
        stream: SHA-256 of its stream if that is kept, else None.
        scored: metrics that have a value or a reason.
        sha256: SHA-256 of its stream, kept or not.
    """

    measured: bool
    stream: str | None
    scored: frozenset[str]
    sha256: str | None = None

    def lacks(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Those of `metrics` that are not scored."""
        return tuple(metric for metric in metrics if metric not in self.scored)
