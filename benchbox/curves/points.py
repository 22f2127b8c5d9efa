"""Compares the single points of a codec in two runs: bytes that changed, points that no longer go through,
and the ratio of speeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchbox.curves.paired import AFTER, BEFORE
from benchbox.metric import Metric

_POINT = ["sample", "quality"]


@dataclass(frozen=True)
class ChangedPoint:
    """A point whose stream is another one now: picture, quality (None if lossless), and bytes before and after (None
    where a table of an earlier release does not say)."""

    sample: str
    quality: float | None
    before: int | None
    after: int | None


@dataclass(frozen=True)
class BrokenPoint:
    """A point that went through before and does not now, with its status and reason."""

    sample: str
    quality: float | None
    reason: str


@dataclass(frozen=True)
class Speed:
    """The speed of the later codec over that of the earlier: geometric mean over `n` points that both runs timed.

    Attributes:
        encode, decode: above 1 is faster; None with a `reason`.
        reason: why there is no ratio, or "".
    """

    encode: float | None
    decode: float | None
    n: int
    reason: str


@dataclass(frozen=True)
class Unmeasured:
    """`points` of a run on so many `pictures` that it asks for and has not measured yet."""

    points: int
    pictures: int

    def __str__(self) -> str:
        return (f"{self.points} point{'s' * (self.points != 1)} on {self.pictures} picture{'s' * (self.pictures != 1)} "
                "not measured yet")


@dataclass(frozen=True)
class Points:
    """The points of a codec in two runs, on the same pictures at the same qualities.

    Attributes:
        compared: number of points that went through in both.
        changed: those whose bytes differ.
        decoded: number of those with equal bytes that decode to other pixels.
        broken: points that went through before and fail now, or that the codec refuses now.
        unmeasured: number of points that are not measured before and now, though they are asked for, and of the
            pictures that they are of.
        unpaired: number of points before and of points after that went through and have no partner: the other run has
            no point of that quality on that picture.
        asked: whether these are only points that one run asks for and the other does not (see `_only_asked`).
        equal: whether every point has the bytes, pixels and scores that it had, or fails as it did, and has a partner
            unless one run merely asks for more.
        same: ids of the metrics of which this is true, those of the other scores aside.
        speed: ratio of the speeds.
    """

    compared: int
    changed: tuple[ChangedPoint, ...]
    decoded: int
    broken: tuple[BrokenPoint, ...]
    unmeasured: tuple[Unmeasured, Unmeasured]
    unpaired: tuple[int, int]
    asked: bool
    equal: bool
    same: tuple[str, ...]
    speed: Speed


def compare_points(rows: pd.DataFrame, metrics: Sequence[Metric]) -> Points:
    """Compare the points in `rows`, which `paired_rows` made."""
    before, after = (rows[(rows["label"] == side).to_numpy(dtype=bool)] for side in (BEFORE, AFTER))
    both = before.merge(after, on=_POINT, how="outer", suffixes=("_before", "_after"), indicator="where")
    went = [(both[f"status_{side}"] == "ok").to_numpy(dtype=bool) for side in (BEFORE, AFTER)]
    listed = (both["where"] == "both").to_numpy(dtype=bool)
    missing = (both["status_after"] == "missing").to_numpy(dtype=bool)
    good = both[went[0] & went[1]]
    streams = good[["stream_sha256_before", "stream_sha256_after"]]
    known = streams.notna().all(axis=1).to_numpy(dtype=bool)  # a table of an earlier release may have no digests
    changed = good[known & (streams.iloc[:, 0] != streams.iloc[:, 1]).to_numpy(dtype=bool)]
    pixels = good[["pixels_sha256_before", "pixels_sha256_after"]]
    decoded = pixels.notna().all(axis=1) & (pixels.iloc[:, 0] != pixels.iloc[:, 1]) & ~good.index.isin(changed.index)
    broken = both[went[0] & listed & ~went[1] & ~missing]
    alone = [(both["where"] == side).to_numpy(dtype=bool) for side in ("left_only", "right_only")]
    unpaired = int((alone[0] & went[0]).sum()), int((alone[1] & went[1]).sum())
    asked = not any(unpaired) or _only_asked(before, after)
    same = tuple(metric.id for metric in metrics if _equal(both[listed], good, metric)) if asked and known.all() else ()
    return Points(
        compared=len(good),
        changed=tuple(ChangedPoint(str(sample), _quality(quality), _whole(old), _whole(new))
                      for sample, quality, old, new in _listed(changed, "bytes_before", "bytes_after")),
        decoded=int((decoded & known).sum()),
        broken=tuple(BrokenPoint(str(sample), _quality(quality), _why(status, reason))
                     for sample, quality, status, reason in _listed(broken, "status_after", "reason_after")),
        unmeasured=(_unmeasured(before), _unmeasured(after)),
        unpaired=unpaired,
        asked=asked,
        equal=len(same) == len(metrics) > 0,
        same=same,
        speed=_speed(good),
    )  # fmt: skip


def _unmeasured(rows: pd.DataFrame) -> Unmeasured:
    missing = rows[(rows["status"] == "missing").to_numpy(dtype=bool)]
    return Unmeasured(len(missing), missing["sample"].nunique())


def _only_asked(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Whether each run asks for the same qualities on every picture, and one for all that the other asks for: a sweep
    with more qualities. The qualities of a matched run are what its searches found, so they differ by picture, and a
    codec that changed is found at others."""
    if before["sample"].nunique() != after["sample"].nunique():
        return False
    asked = [set(own["quality"].fillna(-np.inf)) for own in (before, after)]
    swept = all(len(own) == own["sample"].nunique() * len(qualities)
                for own, qualities in zip((before, after), asked, strict=True))  # fmt: skip
    return swept and (asked[0] <= asked[1] or asked[1] <= asked[0])


def _why(status: str, reason: str | None) -> str:
    return f"{status}: {reason}" if reason else status


def _listed(rows: pd.DataFrame, *more: str) -> Iterator[tuple[Any, ...]]:
    """(sample, quality, *more) of each row."""
    return zip(*(rows[name] for name in (*_POINT, *more)), strict=True)


def _quality(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _whole(value: float) -> int | None:
    return None if np.isnan(value) else int(value)


def _equal(listed: pd.DataFrame, good: pd.DataFrame, metric: Metric) -> bool:
    """Whether points that both runs list end alike, and those that went through with equal bytes, pixels and scores."""
    statuses = [listed[f"status_{side}"].astype(object).to_numpy() for side in (BEFORE, AFTER)]
    names = ("stream_sha256", "pixels_sha256", metric.column)
    return len(good) > 0 and bool((statuses[0] == statuses[1]).all()) and all(
        good[f"{name}_before"].equals(good[f"{name}_after"]) for name in names)


def _speed(good: pd.DataFrame) -> Speed:
    timed = good[((good["timing_before"] == "timed") & (good["timing_after"] == "timed")).to_numpy(dtype=bool)]
    if not len(timed):
        return Speed(None, None, 0, "not timed in both runs; [timing] in the plan times them")
    same = np.ones(len(timed), dtype=bool)
    for name, words in (("host", "timed on different hosts"), ("threads", "timed with different numbers of threads"),
                        ("batch", "timed with different batches")):  # fmt: skip
        same &= (timed[f"{name}_before"] == timed[f"{name}_after"]).to_numpy(dtype=bool)
        if not same.any():
            return Speed(None, None, 0, words)
    return Speed(_ratio(timed[same], "encode"), _ratio(timed[same], "decode"), int(same.sum()), "")


def _ratio(timed: pd.DataFrame, side: str) -> float | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(timed[f"{side}_s_before"].to_numpy(dtype=float) / timed[f"{side}_s_after"].to_numpy(dtype=float))
    logs = logs[np.isfinite(logs)]
    return float(np.exp(logs.mean())) if len(logs) else None
