"""A run that gives an early verdict: the most telling pictures first, and a look at what is measured now and then.

The most telling pictures of a data set are spread evenly over its pictures by detail, from the plainest to the
busiest. Detail is known without measuring: bytes of the picture's file per pixel, where all are files of one format.
Pictures of other data sets come in the order of their digests, which is as good as chance and always the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from benchbox.dataset import Dataset, FileSample
from benchbox.errors import BenchboxError
from benchbox.plan import SPREAD, Places, coarse_to_fine
from benchbox.store import Store

Verdicts: TypeAlias = Callable[[Store], Sequence[str]]
"""What can be said of a run now, in lines, from what the store holds."""

EVERY, SHARE = 5.0, 0.05
"""Seconds between two looks at least, and the largest share of the time that looking may take."""


def picture_places(datasets: Iterable[Dataset], digests: Mapping[tuple[str, str], str]) -> Places:
    """The order of each data set's pictures, the most telling first; `digests` are those of their pixels."""
    places = {}
    for dataset in datasets:
        details = _details(dataset)
        ranked = sorted((details.get(sample.id, 0.0), digests.get((dataset.id, sample.id), ""), sample.id)
                        for sample in dataset.samples)  # fmt: skip
        for place, k in enumerate(coarse_to_fine(len(ranked), SPREAD)):
            places[dataset.id, ranked[k][-1]] = place
    return places


def _details(dataset: Dataset) -> dict[str, float]:
    """sample -> bytes of its file per pixel; empty where these do not say which picture has more detail."""
    found = {}
    for sample in dataset.samples:
        if not isinstance(sample, FileSample):
            return {}
        try:
            size, length = sample.size(), sample.path.stat().st_size
        except OSError:
            return {}
        if size is None:
            return {}
        found[sample.id] = length / max(1, size[0] * size[1])
    formats = {sample.path.suffix.lower() for sample in dataset.samples if isinstance(sample, FileSample)}
    return found if len(formats) == 1 else {}


class Looks:
    """Says the verdicts as the points come in: when a stage ends, and between now and then.

    Args:
        verdicts: gives the lines.
        stages: number of points of each stage.
        say: shows a line.
    """

    def __init__(
        self, verdicts: Callable[[], Sequence[str]], stages: Sequence[int], say: Callable[[str], None]
    ) -> None:
        self._verdicts = verdicts
        self._say = say
        self._due = [sum(stages[: k + 1]) for k in range(len(stages))]
        self._done = 0
        self._next = time.monotonic() + EVERY
        self._said: Sequence[str] = ()

    def points(self, count: int) -> None:
        """`count` more points are stored; has a look if one is due."""
        self._done += count
        reached = [due for due in self._due if due <= self._done]
        if reached or time.monotonic() >= self._next:
            self._due = self._due[len(reached) :]
            self.look()

    def look(self) -> None:
        """Say the verdicts, unless they are those last said."""
        begun = time.monotonic()
        try:
            lines = self._verdicts()
        except BenchboxError as error:  # costs the verdict, and not the run
            lines = [f"no verdict: {error}"]
        if lines != self._said:
            for line in lines:
                self._say(line)
        self._said = lines
        now = time.monotonic()
        self._next = now + max(EVERY, (now - begun) / SHARE)
