"""Rate-distortion curves from a results frame. Pure functions: no files, no drawing.

There are two kinds of curve, and every number in a report says which kind it comes from:

- `mean_curves`, the literature's convention: at each quality, the mean of bpp and the mean of the metric over the
  pictures of a data set. A metric that is drawn in decibels (`Display.transform == "db"`: MS-SSIM) is averaged raw and
  converted afterwards, -10 log10(1 - mean).
- `image_curves`: one curve for each picture, with each value converted by itself.

A mean is over all pictures of the data set, or it is null: a point where one picture failed or has no value is NaN, and
`Curve.n_missing` says how many pictures are missing. `common_pictures` removes the pictures that some codec cannot
encode at all, and returns their names with the reasons, so that every curve is a mean over the same pictures.

Lossless codecs have no quality and therefore no curve; `lossless` gives their mean bpp.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbox.errors import StoreError
from benchbox.metric import Metric

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MIN_SHARE = 0.5
"""A codec with values for fewer than this share of the pictures does not make `common_pictures` drop the others."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A rate-distortion curve: P points in order of bpp (points without bpp last).

    Attributes:
        dataset, label, codec: as in the frame; `label` is the codec with the options that differ from default.
        metric: metric id; `better`: whether higher or lower values are better.
        sample: the picture, or None for a mean over pictures.
        quality: (P,) value of the codec's axis.
        bpp: (P,) bits per pixel, 8 * bytes / (height * width); NaN where a picture has none.
        raw: (P,) the metric as scored; NaN where null.
        value: (P,) the metric as drawn and integrated: decibels if the metric's display says so, else `raw`.
        n: (P,) pictures with a value; `n_missing`: (P,) pictures without.
    """

    dataset: str
    label: str
    codec: str
    metric: str
    better: Literal["higher", "lower"]
    sample: str | None
    quality: Floats
    bpp: Floats
    raw: Floats
    value: Floats
    n: Ints
    n_missing: Ints

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(P,) True for points with a positive rate and a finite value."""
        return np.isfinite(self.bpp) & (self.bpp > 0) & np.isfinite(self.value)


@dataclass(frozen=True)
class LeftOut:
    """A picture that is left out of the means of one metric: `label` has no value for it, for this `reason`."""

    dataset: str
    sample: str
    label: str
    reason: str


@dataclass(frozen=True)
class Lossless:
    """A lossless codec on one data set: mean `bpp` over the `n` pictures with status ok (None if there are none);
    `exact` of these came back unchanged; `n_missing` pictures have another status."""

    dataset: str
    label: str
    codec: str
    bpp: float | None
    n: int
    exact: int
    n_missing: int


def went_through(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """(rows,) True for rows with status ok; a missing status (not measured yet) is not ok."""
    return np.asarray(rows["status"].isin(["ok"]), dtype=bool)


def display(raw: Floats, metric: Metric) -> Floats:
    """Raw metric values as they are drawn: with ``transform == "db"`` -10 log10(1 - raw), NaN where raw >= 1."""
    if metric.display.transform != "db":
        return raw
    rest = np.where(raw < 1, 1 - raw, np.nan)
    return np.asarray(-10 * np.log10(rest), dtype=np.float64)


def mean_curves(frame: pd.DataFrame, metric: Metric) -> list[Curve]:
    """One curve for each data set and label: the mean over all the data set's pictures in `frame`.

    Data sets and labels come in the order in which the frame first has them. A picture without a row, with a status
    other than ok or without a value is missing at that quality, and the point's `raw` and `value` are NaN; `bpp` is NaN
    only where a picture has no bpp.

    Raises:
        StoreError: the frame has two rows for one data set, label, quality and picture.
    """
    curves = []
    for (dataset, label, codec), rows, n_images in _lossy_groups(frame, metric):
        ok = went_through(rows)
        points = pd.DataFrame({
            "quality": rows["quality"].to_numpy(dtype=np.float64),
            "bpp": np.where(ok, rows["bpp"].to_numpy(dtype=np.float64, na_value=np.nan), np.nan),
            "raw": np.where(ok, _column(rows, metric), np.nan),
        }).groupby("quality", sort=True).agg(["mean", "count"])
        bpp, raw = (np.where(points[c]["count"] == n_images, points[c]["mean"], np.nan) for c in ("bpp", "raw"))
        n = points["raw"]["count"].to_numpy(dtype=np.int64)
        quality = points.index.to_numpy(dtype=np.float64)
        curves.append(_curve((dataset, label, codec), metric, None, quality, bpp, raw, n, n_images - n))
    return curves


def image_curves(frame: pd.DataFrame, metric: Metric) -> list[Curve]:
    """One curve for each data set, label and picture, in that order. Points that failed are NaN.

    Raises:
        StoreError: as `mean_curves`.
    """
    curves = []
    for key, rows, _ in _lossy_groups(frame, metric):
        ok = went_through(rows)
        quality = rows["quality"].to_numpy(dtype=np.float64)
        bpp = np.where(ok, rows["bpp"].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)
        raw = np.where(ok, _column(rows, metric), np.nan)
        codes, samples = pd.factorize(rows["sample"].astype(object))
        order = np.argsort(codes, kind="stable")
        for sample, index in zip(samples, np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True):
            n = np.isfinite(raw[index]).astype(np.int64)
            curves.append(_curve(key, metric, str(sample), quality[index], bpp[index], raw[index], n, 1 - n))
    return curves


def common_pictures(frame: pd.DataFrame, metric: Metric) -> tuple[pd.DataFrame, list[LeftOut]]:
    """The rows of the pictures for which every label has a value, and the pictures left out.

    A picture is left out if some label has no value for it at any quality, e.g. because the codec does not support the
    picture or it is too small for the metric. A label with values for fewer than half of the data set's pictures
    (`MIN_SHARE`) is ignored here, since one broken codec would otherwise empty all curves; its own points are null. A
    picture with a value at some qualities stays; its other points are null.
    """
    lossy = frame[frame["quality"].notna()]
    has = went_through(lossy) & np.isfinite(_column(lossy, metric))
    out: list[LeftOut] = []
    drop = np.zeros(len(frame), dtype=bool)
    for dataset in _names(frame["dataset"]):
        inside = (lossy["dataset"] == dataset).to_numpy(dtype=bool)
        rows = lossy[inside]
        table = pd.Series(has[inside]).groupby([rows["label"].astype(object).to_numpy(),
                                                rows["sample"].astype(object).to_numpy()]).any().unstack(fill_value=False)
        names = _names(frame["sample"][frame["dataset"] == dataset])
        table = table.reindex(columns=names, fill_value=False)
        voters = table[table.mean(axis=1) >= MIN_SHARE]
        for sample in table.columns[~voters.all(axis=0)]:
            label = str(voters.index[~voters[sample]][0])
            out.append(LeftOut(dataset, str(sample), label, _reason(rows, label, str(sample), metric)))
        gone = [item.sample for item in out if item.dataset == dataset]
        drop |= ((frame["dataset"] == dataset) & frame["sample"].isin(gone)).to_numpy(dtype=bool)
    return frame[~drop], out


def common_curves(frame: pd.DataFrame, metric: Metric) -> tuple[list[Curve], pd.DataFrame, list[LeftOut]]:
    """The mean curves of all labels over `common_pictures`, and what that gives. A label that has no row on these
    pictures, as where no picture is common to all, has a curve without a value: it is still compared picture by
    picture.

    Raises:
        StoreError: as `mean_curves`.
    """
    kept, left_out = common_pictures(frame, metric)
    means = {(curve.dataset, curve.label): curve for curve in mean_curves(kept, metric)}
    found = []
    for key, rows, _ in _lossy_groups(frame, metric):
        quality = np.unique(rows["quality"].to_numpy(dtype=np.float64))
        nothing, none = np.full(len(quality), np.nan), np.zeros(len(quality), dtype=np.int64)
        count = int(kept.loc[(kept["dataset"] == key[0]).to_numpy(dtype=bool), "sample"].nunique())
        found.append(means.get(key[:2]) or _curve(key, metric, None, quality, nothing, nothing, none, none + count))
    return found, kept, left_out


def lossless(frame: pd.DataFrame) -> list[Lossless]:
    """The lossless codecs (those without a quality) of each data set, in order of the frame."""
    result = []
    for dataset in _names(frame["dataset"]):
        inside = frame[frame["dataset"] == dataset]
        n_images = inside["sample"].nunique()
        rows = inside[inside["quality"].isna()]
        lossy = set(inside["label"][inside["quality"].notna()])
        for label in _names(rows["label"]):
            if label in lossy:  # a lossy codec that failed everywhere may have a row without quality
                continue
            own = rows[rows["label"] == label]
            good = own[went_through(own)]
            bpp = float(good["bpp"].astype(float).mean()) if len(good) else None
            exact = int(good["exact"].fillna(False).astype(bool).sum())
            result.append(Lossless(dataset, label, str(own["codec"].iloc[0]), bpp, len(good), exact,
                                   n_images - len(good)))
    return result


def _lossy_groups(
    frame: pd.DataFrame, metric: Metric
) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame, int]]:
    """(data set, label, codec), its rows with a quality, and the number of pictures of the data set; of the columns
    those that a curve needs."""
    needed = ("dataset", "label", "codec", "quality", "sample", "status", "bpp", metric.column)
    lossy = frame.loc[frame["quality"].notna(), [name for name in needed if name in frame]]
    twice = lossy.duplicated(["dataset", "label", "quality", "sample"])
    if twice.any():
        row = lossy[twice.to_numpy(dtype=bool)].iloc[0]
        raise StoreError(f"{row['label']} at quality {row['quality']:g} on picture {row['sample']} of {row['dataset']} "
                         "appears twice in the results; take the rows of one run and one device only")
    n_images = frame.groupby("dataset", observed=True)["sample"].nunique()
    for (dataset, label), rows in lossy.groupby(["dataset", "label"], sort=False, observed=True):
        yield (str(dataset), str(label), str(rows["codec"].iloc[0])), rows, int(n_images.loc[str(dataset)])


def _column(rows: pd.DataFrame, metric: Metric) -> Floats:
    if metric.column not in rows.columns:
        return np.full(len(rows), np.nan)
    values = rows[metric.column].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _names(column: pd.Series) -> list[str]:
    return [str(name) for name in column.drop_duplicates()]


def _reason(rows: pd.DataFrame, label: str, sample: str, metric: Metric) -> str:
    """Why `label` has no value for `sample`: the first row's reason, or the metric's."""
    own = rows[((rows["label"] == label) & (rows["sample"] == sample)).to_numpy(dtype=bool)]
    for status, reason, nulls in zip(own["status"], own["reason"], own["null_reasons"], strict=True):
        if not isinstance(status, str):
            return "not measured"
        if status != "ok":
            return f"{status}: {reason}" if isinstance(reason, str) and reason else status
        why = null_reason(nulls, metric.id)
        if why:
            return f"no {metric.title}: {why}"
    return "not measured"


def null_reason(null_reasons: object, metric: str) -> str:
    """The reason for the metric id `metric` in a value of the column ``null_reasons`` (JSON text), or ``""``."""
    if not isinstance(null_reasons, str) or not null_reasons:
        return ""
    reasons = json.loads(null_reasons)
    return str(reasons.get(metric, "")) if isinstance(reasons, dict) else ""


def _curve(
    key: Sequence[str], metric: Metric, sample: str | None,
    quality: Floats, bpp: Floats, raw: Floats, n: Ints, n_missing: Ints,
) -> Curve:
    order = np.lexsort((quality, bpp))  # NaN sorts last
    dataset, label, codec = key
    raw = raw[order]
    return Curve(dataset, label, codec, metric.id, metric.better, sample, quality[order], bpp[order], raw,
                 display(raw, metric), n[order], n_missing[order])
