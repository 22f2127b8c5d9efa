"""The kit's checks for a metric find what they are there to find: each test gives them a metric with one fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from benchbox import testing
from benchbox.errors import NotApplicable, PluginError
from benchbox.image import Image, peak
from benchbox.metric import Display, Metric, Prepared, Scorer


class MeanAbsolute(Prepared):
    def __init__(self, reference: Image) -> None:
        self.reference = reference.astype(np.int64)

    def score(self, image: Image) -> float:
        return float(np.abs(self.reference - image).mean() / peak(image))


class MeanAbsoluteScorer(Scorer):
    prepared: type[Prepared] = MeanAbsolute

    def prepare(self, reference: Image) -> Prepared:
        return self.prepared(reference)  # type: ignore[call-arg]


@dataclass(frozen=True)
class MeanAbsoluteMetric(Metric):
    scorer: type[Scorer] = MeanAbsoluteScorer

    def open(self, device: str) -> Scorer:
        return self.scorer()


def metric(**changes: Any) -> MeanAbsoluteMetric:
    return MeanAbsoluteMetric(**{"id": "mae", "title": "MAE", "version": "1", "unit": "", "better": "lower",
                                 "display": Display("MAE"), "lowest": 0.0, "highest": 1.0, **changes})


def faulty(score: Callable[[MeanAbsolute, Image], float]) -> type[Scorer]:
    prepared = type("Faulty", (MeanAbsolute,), {"score": score})
    return type("FaultyScorer", (MeanAbsoluteScorer,), {"prepared": prepared})


def _moving(self: MeanAbsolute, image: Image) -> float:
    self.reference = self.reference // 2
    return MeanAbsolute.score(self, image)


def _fails_on_small(self: MeanAbsolute, image: Image) -> float:
    if min(image.shape[:2]) < 11:
        raise ValueError("win_size exceeds image extent")
    return MeanAbsolute.score(self, image)


def _mute(self: MeanAbsolute, image: Image) -> float:
    if min(image.shape[:2]) > 11:
        return MeanAbsolute.score(self, image)
    raise NotApplicable("")


def _infinite(self: MeanAbsolute, image: Image) -> float:
    value = MeanAbsolute.score(self, image)
    return value or float("inf")


METRIC_FAULTS = [
    ("names", metric(version=""), "version"),
    ("order", metric(better="higher", highest=None), "higher is better, but stronger noise"),
    ("order", metric(highest=0.001), "outside the declared"),
    ("order", metric(scorer=faulty(_infinite)), "finite float, got inf"),
    ("shapes", metric(scorer=faulty(_fails_on_small)), "raised ValueError: win_size"),
    ("shapes", metric(scorer=faulty(_mute)), "NotApplicable without a reason"),
    ("prepared", metric(scorer=faulty(_moving)), "scores one picture"),
]


def test_sound_metric_passes() -> None:
    testing.check_metric(metric())


@pytest.mark.parametrize(("name", "subject", "sentence"), METRIC_FAULTS, ids=[f[2] for f in METRIC_FAULTS])
def test_faulty_metric_is_found(name: str, subject: Metric, sentence: str) -> None:
    check = next(check for check in testing.metric_checks(subject) if check.name == name)
    with pytest.raises(PluginError) as caught:
        check()
    assert sentence in str(caught.value)
