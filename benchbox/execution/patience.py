"""Gives up, for the rest of a run, what ends or hangs its worker again and again: a codec, or a metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from benchbox.plan import Job
from benchbox.store import UNSCORED

CODEC_AFTER = 8
"""A codec is given up after this many time-outs, crashes and memory kills without a success between."""

METRIC_AFTER = 2
"""A metric likewise. It has fewer, since every codec and picture of the run is scored with it."""

_WORKER_DIED = frozenset({"timeout", "crashed", "memory"})


class Patience:
    """Learns from finished points and admits jobs accordingly; `say` is called with a line when something is given up.

    Attributes:
        codecs: labels of the codecs given up.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.codecs: list[str] = []
        self._say = say
        self._deaths: Counter[tuple[str, str]] = Counter()  # ("codec", label) or ("metric", id) -> in a row
        self._metrics: dict[str, str] = {}

    def learn(self, job: Job, point: Mapping[str, Any]) -> None:
        """Take in a finished point. `died` is the kind of death of the worker that was at it, where the status is that
        of the point's encoding, and `died_scoring` the metric that it was scoring with."""
        for metric, (_, value, reason) in point.get("scores", {}).items():
            if value is not None or not reason.startswith(UNSCORED):
                self._deaths["metric", metric] = 0
        if "died_scoring" in point:
            metric = point["died_scoring"]
            self._deaths["metric", metric] += 1
            if self._deaths["metric", metric] >= METRIC_AFTER and metric not in self._metrics:
                why = point["scores"][metric][2].removeprefix(f"{UNSCORED}{metric}: ")
                self._metrics[metric] = f"given up for this run after {METRIC_AFTER} points in a row: {why}"
                self._say(f"metric {metric}: {self._metrics[metric]}; --retry measures it anew")
        elif point.get("died", point["status"]) in _WORKER_DIED:
            self._deaths["codec", job.label] += 1
        elif point["status"] == "ok":
            self._deaths["codec", job.label] = 0

    def admit(self, job: Job) -> Job | None:
        """The job, told which metrics are given up; None where its codec is."""
        if self._deaths["codec", job.label] < CODEC_AFTER:
            return replace(job, given_up={**job.given_up, **self._metrics}) if self._metrics else job
        if job.label not in self.codecs:
            self.codecs.append(job.label)
            self._say(f"{job.label}: given up for this run after {CODEC_AFTER} time-outs, crashes or memory kills in a "
                      "row")
        return None
