"""Which pictures and operating points the visual comparison shows: at equal rate or at equal quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchbox import curves
from benchbox.curves import PictureTable, percent
from benchbox.metric import Metric
from benchbox_reports.wording import decibels_or_unit, number

FAR = 0.25
"""Difference of rate from the target, as a share of the target, above which a point is marked as off its target."""
FAR_QUALITY = 0.5
"""The same for quality, in the unit that the metric is drawn in."""
RATE = "bpp"


@dataclass(frozen=True, eq=False)
class Shot:
    """An operating point at a target.

    Attributes:
        match: what is equal: `RATE`, or a metric's title.
        target: the target as printed.
        row: the point's row of the frame.
        far: whether the point is far from the target.
    """

    match: str
    target: str
    row: pd.Series
    far: bool


def nearest(rows: pd.DataFrame, targets: Sequence[float]) -> list[tuple[float, pd.Series]]:
    """(target, row) for each target and label: the row of the label whose bpp is nearest to the target, as a ratio."""
    found = []
    for target in targets:
        for _, own in rows.groupby("label", observed=True, sort=False):
            distance = np.abs(np.log(own["bpp"].to_numpy(dtype=np.float64) / target))
            found.append((target, own.iloc[int(np.argmin(distance))]))
    return found


def shots(rows: pd.DataFrame, targets: Sequence[float], anchor: str, metrics: Sequence[Metric]) -> list[Shot]:
    """The points of one picture nearest to the target rates, then, for each metric, nearest to the qualities that
    `anchor` has at these rates; the middle targets first, so that a limit on files cuts off the outer ones."""
    middle = sorted(targets, key=lambda target: abs(targets.index(target) - len(targets) // 2))
    found = [Shot(RATE, f"{target:g}", row, bool(abs(row["bpp"] / target - 1) > FAR))
             for target, row in nearest(rows, middle)]
    labels, log_bpp = rows["label"].astype(str).to_numpy(), np.log(rows["bpp"].to_numpy(dtype=np.float64))
    for metric in metrics:
        if metric.column not in rows.columns:
            continue
        drawn = curves.display(rows[metric.column].to_numpy(dtype=np.float64), metric)
        usable = {label: np.flatnonzero((labels == label) & np.isfinite(drawn)) for label in dict.fromkeys(labels)}
        own = usable.get(anchor, np.zeros(0, dtype=np.int64))
        at_rates = [own[np.argmin(np.abs(log_bpp[own] - np.log(target)))] for target in middle] if len(own) else []
        for quality in dict.fromkeys(float(drawn[place]) for place in at_rates):
            target = f"{number(quality, metric.display.decimals)} {decibels_or_unit(metric)}".strip()
            for places in usable.values():
                if len(places):
                    best = places[np.argmin(np.abs(drawn[places] - quality))]
                    found.append(Shot(metric.title, target, rows.iloc[int(best)],
                                      bool(abs(drawn[best] - quality) > FAR_QUALITY)))
    return found


def ratios(frame: pd.DataFrame, metrics: Sequence[Metric], anchor: str) -> pd.DataFrame:
    """log10 rate ratios of single pictures against `anchor` by the first metric that gives any: a row a picture, (data
    set, sample), a column a codec; empty where there is none."""
    for metric in metrics:
        parts = []
        for dataset in frame["dataset"].drop_duplicates():
            own = curves.image_curves(frame[(frame["dataset"] == dataset).to_numpy(dtype=bool)], metric)
            table = PictureTable(own, "pchip")
            if anchor in table.labels:
                part = pd.DataFrame(table.log_ratios[:, table.labels.index(anchor)], columns=list(table.labels))
                part.index = pd.MultiIndex.from_product([[str(dataset)], list(table.samples)])
                parts.append(part.drop(columns=anchor))
        whole = pd.concat(parts) if parts else pd.DataFrame()
        if whole.notna().to_numpy().any():
            return whole
    return pd.DataFrame()


def choose(rows: pd.DataFrame, count: int, gains: pd.DataFrame) -> pd.DataFrame:
    """`count` pictures, rows of dataset and sample: those on which the codecs gain and lose most against the anchor on
    average, where there is room for both, then others evenly spread over those that have an operating point."""
    pictures = rows[["dataset", "sample"]].drop_duplicates().reset_index(drop=True)
    mean = gains.mean(axis=1).dropna() if len(gains) else pd.Series(dtype=float)
    ends = list(dict.fromkeys([mean.idxmin(), mean.idxmax()])) if len(mean) and count > 2 else []
    names = [(str(d), str(s)) for d, s in pictures.itertuples(index=False)]
    chosen = [names.index(end) for end in ends if end in names]
    others = [k for k in range(len(names)) if k not in chosen]
    room = min(count - len(chosen), len(others))
    spread = np.unique(np.linspace(0, len(others) - 1, max(room, 0)).round().astype(int)).tolist()
    return pictures.iloc[sorted([*chosen, *(others[k] for k in spread)])]


def extremes(gains: pd.DataFrame, shown: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
    """For each codec the shown pictures on which it gains and loses most against the anchor: their places in `shown`
    and their BD-rates as printed."""
    found: list[dict[str, object]] = []
    for label in gains.columns:
        known = [(float(gains[label][name]), k) for k, name in enumerate(shown)
                 if name in gains.index and np.isfinite(gains[label][name])]
        if len(known) > 1:
            low, high = min(known), max(known)
            found.append({"label": str(label), **{end: [k, f"{number(float(percent(log)), 1, signed=True)} %"]
                                                  for end, (log, k) in (("gains", low), ("loses", high))}})
    return found
