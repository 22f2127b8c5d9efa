"""Jobs and their parts: an operating point, a job of several points, a row of a run, and the store's state of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchbox.dataset import Sample
from benchbox.plan.plan import Timing


@dataclass(frozen=True)
class Point:
    """One operating point of a job: encode at `quality` and score with `metrics`. If `stream` is the SHA-256 of a kept
    stream, that stream is only decoded and scored."""

    key: str
    quality: float | None
    metrics: tuple[str, ...]
    stream: str | None = None


@dataclass(frozen=True)
class Job:
    """The missing operating points of one sample with one codec configuration. Plain data: workers look codecs up by
    id. If `timing` is set, the points were measured before and are timed under that protocol."""

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
        """The same job with only these points."""
        return replace(self, points=tuple(points))


@dataclass(frozen=True, slots=True)
class Entry:
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
        sha256: SHA-256 of its stream, kept or not.
    """

    measured: bool
    stream: str | None
    scored: frozenset[str]
    sha256: str | None = None

    def lacks(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Those of `metrics` that are not scored."""
        return tuple(metric for metric in metrics if metric not in self.scored)
