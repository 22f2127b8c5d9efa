"""What all reports are made from: the curves and comparisons of a run, computed once, without drawing or writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbox import curves
from benchbox.bd import Bd, Method, MetricTable, RateTable
from benchbox.bdstats import BdOverPictures, PictureTable
from benchbox.curves import Curve, LeftOut, Lossless
from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric
from benchbox.report import Reference, Results

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """One codec against the anchor: on the mean curves (`rate`, `gain`) and picture by picture."""

    label: str
    rate: Bd
    gain: Bd
    pictures: BdOverPictures


@dataclass(frozen=True, eq=False)
class PublishedCurve:
    """A published curve as drawn: bpp and the metric in its drawn unit, points that have both."""

    reference: Reference
    bpp: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class Section:
    """One data set scored by one metric.

    Attributes:
        curves: mean curves of all lossy labels, over `n_used` of the data set's `n_pictures` pictures.
        left_out: pictures that no mean holds, with the codec that cannot do them and why.
        anchor: label that `comparisons` are against, None where no codec has a curve.
        pictures: BD-rates of all against all on each picture; None where there is no anchor.
        lossless: the codecs without a curve. `published`: curves to lay under ours.
        no_values: why there is nothing to draw, or "".
    """

    dataset: str
    metric: Metric
    curves: tuple[Curve, ...]
    n_pictures: int
    n_used: int
    left_out: tuple[LeftOut, ...]
    anchor: str | None
    comparisons: tuple[Comparison, ...]
    pictures: PictureTable | None
    lossless: tuple[Lossless, ...]
    published: tuple[PublishedCurve, ...]
    no_values: str

    @property
    def drawable(self) -> tuple[Curve, ...]:
        """The curves with at least one usable point."""
        return tuple(curve for curve in self.curves if curve.usable.any())


@dataclass(frozen=True)
class Analysis:
    """A whole run: `labels` in the run's order, a `Section` for each data set and metric, the BD method used."""

    results: Results
    labels: tuple[str, ...]
    anchor: str | None
    method: Method
    sections: tuple[Section, ...]
    lossless: tuple[Lossless, ...]


def analyse(results: Results, anchor: str | None = None, method: Method = "pchip") -> Analysis:
    """Compute everything.

    Args:
        results: the run.
        anchor: label or codec id to compare against; None: ``jpeg`` if it is there, else the first lossy codec.
        method: BD interpolation.

    Raises:
        UnknownIdError: no lossy codec of the run is called `anchor`.
    """
    frame = results.frame
    labels = _order([*results.codec_settings, *frame["label"].drop_duplicates()], frame)
    chosen = choose_anchor(frame, labels, anchor)
    lossless = tuple(curves.lossless(frame))
    sections = [
        _section(results, frame[(frame["dataset"] == dataset).to_numpy(dtype=bool)], str(dataset), metric, chosen,
                 tuple(item for item in lossless if item.dataset == dataset), method)
        for dataset in frame["dataset"].drop_duplicates() for metric in results.metrics
    ]
    return Analysis(results, labels, chosen, method, tuple(sections), lossless)


def choose_anchor(frame: pd.DataFrame, labels: Sequence[str], wanted: str | None) -> str | None:
    """The label to compare against; see `analyse`."""
    lossy = frame[frame["quality"].notna()]
    codec = dict(zip(lossy["label"].astype(str), lossy["codec"].astype(str), strict=True))
    candidates = [label for label in labels if label in codec]
    if wanted is not None:
        found = [label for label in candidates if label == wanted] or [la for la in candidates if codec[la] == wanted]
        if not found:
            known = ", ".join(candidates) or "none: there is no lossy codec"
            hint = did_you_mean(wanted, candidates) or f"; take one of {known}"
            raise UnknownIdError(f"no codec with a curve in this run is called '{wanted}'{hint}")
        return found[0]
    first = [label for label in candidates if label == "jpeg"] or [la for la in candidates if codec[la] == "jpeg"]
    return next(iter(first or candidates), None)


def _order(names: Sequence[object], frame: pd.DataFrame) -> tuple[str, ...]:
    present = {str(label) for label in frame["label"].drop_duplicates()}
    return tuple(name for name in dict.fromkeys(str(n) for n in names) if name in present)


def _section(
    results: Results, frame: pd.DataFrame, dataset: str, metric: Metric, anchor: str | None,
    lossless: tuple[Lossless, ...], method: Method,
) -> Section:
    kept, left_out = curves.common_pictures(frame, metric)
    means = tuple(curves.mean_curves(kept, metric))
    comparisons, pictures = _compare(means, curves.image_curves(frame, metric), anchor, method)
    usable = any(curve.usable.any() for curve in means)
    published = tuple(filter(None, (_published(ref, dataset, metric) for ref in results.references)))
    return Section(
        dataset=dataset, metric=metric, curves=means,
        n_pictures=frame["sample"].nunique(), n_used=kept["sample"].nunique(), left_out=tuple(left_out),
        anchor=anchor if pictures is not None else None, comparisons=comparisons, pictures=pictures, lossless=lossless,
        published=published, no_values="" if usable else _why_nothing(frame, means, metric),
    )


def _compare(
    means: Sequence[Curve], images: Sequence[Curve], anchor: str | None, method: Method
) -> tuple[tuple[Comparison, ...], PictureTable | None]:
    labels = [curve.label for curve in means]
    if anchor is None or anchor not in labels:
        return (), None
    rates, gains, pictures = RateTable(means, method), MetricTable(means, method), PictureTable(images, method)
    base = labels.index(anchor)
    return tuple(
        Comparison(label, rates.bd(base, k), gains.bd(base, k), pictures.summary(anchor, label))
        for k, label in enumerate(labels) if k != base
    ), pictures


def _published(reference: Reference, dataset: str, metric: Metric) -> PublishedCurve | None:
    values = reference.metrics.get(metric.id)
    if reference.dataset != dataset or values is None:
        return None
    raw = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    drawn, bpp = curves.display(raw, metric), np.asarray(reference.bpp, dtype=np.float64)
    has = np.isfinite(drawn)
    return PublishedCurve(reference, bpp[has], drawn[has]) if has.any() else None


def _why_nothing(frame: pd.DataFrame, means: Sequence[Curve], metric: Metric) -> str:
    if not means:
        return "no lossy codec was run"
    ok = frame[curves.went_through(frame) & frame["quality"].notna().to_numpy()]
    if ok.empty:
        return "no encoding went through"
    values = ok[metric.column] if metric.column in ok.columns else pd.Series(dtype=float)
    if values.notna().any():
        return "no operating point has a value on every picture"
    reasons = [curves.null_reason(text, metric.id) for text in ok["null_reasons"].drop_duplicates()]
    told = next((reason for reason in reasons if reason), "")
    return f"{metric.title} has no value on any picture" + (f": {told}" if told else "")


def problems(results: Results) -> pd.DataFrame:
    """What did not go through: dataset, label, status, reason, points, pictures, example (one picture's name)."""
    frame = results.frame[~curves.went_through(results.frame)]
    rows = pd.DataFrame({
        "dataset": frame["dataset"].astype(str), "label": frame["label"].astype(str),
        "status": frame["status"].astype(object).where(frame["status"].notna(), "not measured"),
        "reason": frame["reason"].astype(object).where(frame["reason"].notna(), ""),
        "sample": frame["sample"].astype(str),
    })
    return _counted(rows, ["dataset", "label", "status", "reason"])


def nulls(results: Results) -> pd.DataFrame:
    """Values that metrics do not have, though the encoding went through: dataset, label, metric, reason, points,
    pictures, example. Lossless codecs that came back exact are not among them: identical pictures have no PSNR."""
    as_meant = results.frame["quality"].isna() & results.frame["exact"].fillna(False).astype(bool)
    frame = results.frame[curves.went_through(results.frame) & ~as_meant.to_numpy(dtype=bool)]
    parts = []
    for metric in results.metrics:
        if metric.column in frame.columns:
            rows = frame[frame[metric.column].isna().to_numpy(dtype=bool)]
            texts = rows["null_reasons"].dropna().unique()
            known: Mapping[str, str] = {text: curves.null_reason(text, metric.id) or "not scored" for text in texts}
            parts.append(pd.DataFrame({
                "dataset": rows["dataset"].astype(str), "label": rows["label"].astype(str), "metric": metric.title,
                "reason": rows["null_reasons"].map(known).fillna("not scored"), "sample": rows["sample"].astype(str),
            }))
    columns = ["dataset", "label", "metric", "reason"]
    return _counted(pd.concat(parts) if parts else pd.DataFrame(columns=[*columns, "sample"]), columns)


def _counted(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=[*columns, "points", "pictures", "example"])
    grouped = rows.groupby(columns, sort=False)["sample"]
    return grouped.agg(points="size", pictures="nunique", example="first").reset_index()
