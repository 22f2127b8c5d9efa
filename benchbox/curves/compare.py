"""Is a codec better than it was? Two results frames compared, picture by picture, with a verdict for each metric.

The verdict is taken from the 95 % bootstrap interval of the mean BD-rate over pictures (`benchbox.curves.pictures`):
``better`` if the interval lies wholly below 0 (fewer bits at equal metric), ``worse`` if wholly above, else
``undecided``. Without an interval the verdict is ``undecided`` too, and a reason says why. Where every point of
both has the bytes, pixels and scores by that metric that it had, or fails as it did, the verdict is ``same``; points
without a partner are allowed only where one run sweeps more qualities than the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from benchbox.curves.bd import bd_metric, percent
from benchbox.curves.curve import Curve, image_curves
from benchbox.curves.fit import MIN_POINTS
from benchbox.curves.paired import AFTER, BEFORE, Shared, paired_rows, shared_pictures
from benchbox.curves.pictures import PictureTable
from benchbox.curves.points import Points, compare_points
from benchbox.metric import Metric

Verdict: TypeAlias = Literal["better", "worse", "undecided", "same"]
Interval: TypeAlias = tuple[float, float]

_COLUMNS: Mapping[str, str] = {
    "dataset": "object", "before": "object", "after": "object", "metric": "object", "verdict": "object",
    "bd_rate": "float64", "low": "float64", "high": "float64", "bd_metric": "float64", "n": "int64",
    "encode_speed": "float64", "decode_speed": "float64", "points": "int64", "changed": "int64", "unpaired": "int64",
    "unmeasured": "int64", "broken": "int64", "reason": "object",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One codec on one data set by one metric, before and after.

    Attributes:
        metric: the metric's id; `unit`: that of `bd_metric`, e.g. ``"dB"``.
        bd_rate: mean over pictures, percent of bits at equal metric, negative is fewer; None with a `reason`.
        interval: its 95 % interval, percent; None with too few pictures, with a `reason`.
        bd_metric: mean difference of the metric at equal bits, over pictures; None if no picture has one.
        n: number of pictures with a BD-rate.
        verdict: see the module's docstring.
        pictures: picture -> BD-rate in percent, the largest gain (most negative) first.
        left_out: picture -> why it has no BD-rate.
        reason: why there is no number or no interval, or "".
    """

    metric: str
    unit: str
    bd_rate: float | None
    interval: Interval | None
    bd_metric: float | None
    n: int
    verdict: Verdict
    pictures: Mapping[str, float]
    left_out: Mapping[str, str]
    reason: str

    @property
    def decided(self) -> bool:
        """True if the comparison has an interval, or if nothing has changed."""
        return self.interval is not None or self.verdict == "same"


@dataclass(frozen=True)
class CodecChange:
    """One codec on one data set: its points, and a `Change` for each metric.

    Attributes:
        dataset: name of the data set in the later run.
        before, after: the codec's label in the earlier and in the later run.
        identities: the codec's identities in both runs, e.g. ``("mine 1", "mine 2")``; "" where it has no rows.
        shared: the pictures that both runs have.
        one_codec: whether both are of one codec, if under other options, so that points of one quality are the same.
    """

    dataset: str
    before: str
    after: str
    identities: tuple[str, str]
    shared: Shared
    points: Points
    changes: tuple[Change, ...]
    one_codec: bool


def compare_codecs(
    before: pd.DataFrame, after: pd.DataFrame, metrics: Sequence[Metric], codecs: Sequence[tuple[str, str]]
) -> list[CodecChange]:
    """Each pair of labels in `codecs` (in the earlier, in the later frame) on each data set of the later frame."""
    found = []
    for shared in shared_pictures(before, after):
        for labels in codecs:
            rows = paired_rows(before, after, shared, labels, metrics)
            points = compare_points(rows, metrics)
            identities = (_identity(before, shared.earlier, labels[0]), _identity(after, shared.dataset, labels[1]))
            alike = _alike(rows) if points.asked else rows
            changes = tuple(_change(alike, shared, points, metric) for metric in metrics)
            one_codec = rows["codec"].nunique() <= 1
            found.append(CodecChange(shared.dataset, *labels, identities, shared, points, changes, one_codec))
    return found


def verdict(interval: Interval | None) -> Verdict:
    """The verdict of an interval of BD-rates, in words."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "undecided"
    return "better" if interval[1] < 0 else "worse"


def _alike(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one codec at the qualities that went through in both runs, on each picture with at least `MIN_POINTS`
    of them; elsewhere, and for two different codecs, all rows. A curve through four points and one through ten differ,
    and that would count as a change of the codec, e.g. where a run was stopped. It is not for runs of which each has
    points that the other lacks: these are part of what changed."""
    if rows["codec"].nunique() != 1:
        return rows
    ok = (rows["status"] == "ok").to_numpy(dtype=bool)
    both = ok & rows.assign(ok=ok).groupby(["sample", "quality"], dropna=False)["ok"].transform("sum").eq(2).to_numpy()
    enough = pd.Series(both).groupby(rows["sample"].to_numpy()).transform("sum").to_numpy() >= 2 * MIN_POINTS
    return rows[both | ~enough]


def _identity(frame: pd.DataFrame, dataset: str | None, label: str) -> str:
    own = frame["identity"][((frame["dataset"] == dataset) & (frame["label"] == label)).to_numpy(dtype=bool)]
    return ", ".join(dict.fromkeys(str(name) for name in own.dropna()))


def _change(rows: pd.DataFrame, shared: Shared, points: Points, metric: Metric) -> Change:
    unit = "dB" if metric.display.transform == "db" else metric.unit
    reason = _no_curves(rows, shared, metric)
    if reason:
        alike: Verdict = "same" if metric.id in points.same else "undecided"
        return Change(metric.id, unit, None, None, None, 0, alike, {}, {}, reason)
    curves = image_curves(rows, metric)
    table = PictureTable(curves)
    over = table.summary(BEFORE, AFTER)
    ratios = table.log_ratios[:, table.labels.index(BEFORE), table.labels.index(AFTER)]
    values = {sample: float(percent(ratio)) for sample, ratio in zip(table.samples, ratios, strict=True)
              if np.isfinite(ratio)}  # fmt: skip
    return Change(
        metric.id, unit, over.mean, over.interval, _bd_metric(curves), over.n,
        "same" if metric.id in points.same else verdict(over.interval),
        dict(sorted(values.items(), key=lambda item: item[1])), over.left_out, over.why_no_interval,
    )  # fmt: skip


def _bd_metric(curves: Sequence[Curve]) -> float | None:
    """Mean over pictures of the BD-metric of each."""
    sides = {side: {curve.sample: curve for curve in curves if curve.label == side} for side in (BEFORE, AFTER)}
    values = [bd_metric(curve, sides[AFTER][sample]).value for sample, curve in sides[BEFORE].items()
              if sample in sides[AFTER]]  # fmt: skip
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _no_curves(rows: pd.DataFrame, shared: Shared, metric: Metric) -> str:
    """Why there are no two curves to compare, or ""."""
    if not shared.pairs:
        return "the two runs share no picture of this data set; pictures are paired by their pixels"
    sides = {side: rows[(rows["label"] == side).to_numpy(dtype=bool)] for side in (BEFORE, AFTER)}
    for side, own in sides.items():
        if not len(own):
            return f"{side} has no points of it on the pictures of this data set that both runs have"
        if (own["status"] == "missing").all():
            return f"{side} has measured nothing of it yet; run its plan to its end"
    lossless = [side for side, own in sides.items() if own["quality"].isna().all()]
    if len(lossless) == 1:
        return f"{lossless[0]} is lossless and has no curve"
    if lossless:
        return f"lossless, so there is no curve; {_sizes(sides)}"
    for side, own in sides.items():
        if not np.isfinite(own[metric.column].to_numpy(dtype=float)).any():
            return f"{side} has no value of {metric.id}"
    return ""


def _sizes(sides: Mapping[str, pd.DataFrame]) -> str:
    """The change of a lossless codec's sizes, in words."""
    sizes = {side: own.loc[(own["status"] == "ok").to_numpy(dtype=bool)].set_index("sample")["bytes"]
             for side, own in sides.items()}  # fmt: skip
    ratios = (sizes[AFTER] / sizes[BEFORE]).dropna()
    if not len(ratios):
        return "no picture went through in both runs"
    change = float(percent(np.log10(ratios.to_numpy(dtype=np.float64)).mean()))
    return f"its size changed by {change:+.2f} % over {len(ratios)} picture{'' if len(ratios) == 1 else 's'}"


def comparison_table(found: Sequence[CodecChange]) -> pd.DataFrame:
    """One row for each codec, data set and metric; columns as in `benchbox.compare`."""
    rows = []
    for codec in found:
        points, speed = codec.points, codec.points.speed
        for change in codec.changes:
            low, high = change.interval or (None, None)
            rows.append({
                "dataset": codec.dataset, "before": codec.before, "after": codec.after, "metric": change.metric,
                "verdict": change.verdict, "bd_rate": change.bd_rate, "low": low, "high": high,
                "bd_metric": change.bd_metric, "n": change.n, "encode_speed": speed.encode,
                "decode_speed": speed.decode, "points": points.compared, "changed": len(points.changed),
                "unpaired": sum(points.unpaired), "unmeasured": sum(side.points for side in points.unmeasured),
                "broken": len(points.broken), "reason": change.reason,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
