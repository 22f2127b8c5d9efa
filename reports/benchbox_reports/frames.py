"""The numbers of a run at full precision, as data frames; the CSV files hold them, the printed tables round them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchbox.curves import Bd, Curve, percent, went_through
from benchbox_reports.analysis import Analysis, Comparison, Section
from benchbox_reports.wording import decibels_or_unit


def bd_table(analysis: Analysis) -> pd.DataFrame:
    """A row for every comparison with the anchor; rates in percent of bits, ranges in the unit that the metric is drawn
    in."""
    return pd.DataFrame([_bd_row(section, row, analysis.method, section.anchor)
                         for section, row in _comparisons(analysis)])


def pairs_table(analysis: Analysis) -> pd.DataFrame:
    """The rows of `bd_table` for every possible anchor, published curves included."""
    return pd.DataFrame([
        _bd_row(section, row, analysis.method, anchor)
        for section in analysis.sections if section.pairs is not None
        for anchor, rows in section.pairs.against.items() for row in rows
    ])


def points_table(analysis: Analysis) -> pd.DataFrame:
    """The points of the mean curves.

    Columns: dataset, metric, label, quality, bpp, bytes (mean), mean (as scored), drawn (as in the figure), drawn_unit,
    n and n_missing (pictures with and without a value), and bpp_se, mean_se and drawn_se, standard errors over
    pictures, null for a single picture.
    """
    parts = [
        pd.DataFrame({
            "dataset": curve.dataset, "metric": curve.metric, "label": curve.label, "quality": curve.quality,
            "bpp": curve.bpp, "bytes": section.mean_bytes[curve.label], "mean": curve.raw, "drawn": curve.value,
            "drawn_unit": decibels_or_unit(section.metric), "n": curve.n, "n_missing": curve.n_missing,
            **_errors(curve, section, errors),
        })
        for section in analysis.sections for errors in [_standard_errors(section, analysis)] for curve in section.curves
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _standard_errors(section: Section, analysis: Analysis) -> pd.DataFrame:
    """(label, quality) -> standard errors of bpp and of the raw metric, over the pictures that the means are over."""
    frame, column = analysis.results.frame, section.metric.column
    gone = {item.sample for item in section.left_out}
    inside = (went_through(frame) & (frame["dataset"] == section.dataset).to_numpy(dtype=bool)
              & ~frame["sample"].isin(gone).to_numpy(dtype=bool))
    rows = frame.loc[inside, [name for name in ("label", "quality", "bpp", column) if name in frame]]
    names = [rows["label"].astype(str).to_numpy(), rows["quality"].to_numpy(dtype=np.float64)]
    raw = rows[column].to_numpy(dtype=np.float64) if column in rows.columns else np.full(len(rows), np.nan)
    values = pd.DataFrame({"bpp_se": rows["bpp"].to_numpy(dtype=np.float64), "mean_se": raw})
    return values.groupby(names).sem()


def _errors(curve: Curve, section: Section, errors: pd.DataFrame) -> dict[str, object]:
    places = pd.MultiIndex.from_arrays([[curve.label] * len(curve.quality), curve.quality])
    own = errors.reindex(places)
    bpp = np.where(np.isfinite(curve.bpp), own["bpp_se"], np.nan)
    mean = np.where(np.isfinite(curve.raw), own["mean_se"], np.nan)
    drawn = mean
    if section.metric.display.transform == "db":  # the slope of -10 log10(1 - mean)
        with np.errstate(divide="ignore", invalid="ignore"):  # a mean of 1 has no place on that scale
            drawn = mean * 10 / np.log(10) / (1 - curve.raw)
    return {"bpp_se": bpp, "mean_se": mean, "drawn_se": np.where(np.isfinite(curve.value), drawn, np.nan)}


def matrix_table(analysis: Analysis) -> pd.DataFrame:
    """BD-rates of all codecs against each other, mean over pictures and its interval: a row for each ordered pair."""
    rows = []
    for section in analysis.sections:
        if section.pairs is None:
            continue
        table = section.pairs.pictures
        means, (low, high) = percent(table.means), percent(table.intervals)
        counts = np.isfinite(table.log_ratios).sum(axis=0)
        for i, anchor in enumerate(table.labels):
            for j, test in enumerate(table.labels):
                if i != j:
                    rows.append({"dataset": section.dataset, "metric": section.metric.id, "anchor": anchor,
                                 "label": test, "bd_rate_percent": means[i, j], "low_95": low[i, j],
                                 "high_95": high[i, j], "pictures": counts[i, j]})
    return pd.DataFrame(rows)


def pictures_table(analysis: Analysis) -> pd.DataFrame:
    """BD-rates of single pictures in percent: a row for each data set, metric, picture and anchor, a column for each
    codec."""
    parts = []
    for section in analysis.sections:
        if section.pairs is None:
            continue
        table = section.pairs.pictures
        values = percent(table.log_ratios)
        for i, anchor in enumerate(table.labels):
            part = pd.DataFrame(values[:, i], columns=list(table.labels))
            for name, value in (("anchor", anchor), ("metric", section.metric.id), ("dataset", section.dataset)):
                part.insert(0, name, value, allow_duplicates=True)
            part.insert(2, "picture", table.samples, allow_duplicates=True)
            parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def lossless_table(analysis: Analysis) -> pd.DataFrame:
    """Lossless codecs: mean bpp over the pictures encoded, how many those are, and how many came back exact."""
    return pd.DataFrame([vars(item) for item in analysis.lossless])


def _comparisons(analysis: Analysis) -> Iterator[tuple[Section, Comparison]]:
    for section in analysis.sections:
        for row in section.comparisons:
            yield section, row


def _bd_row(section: Section, row: Comparison, method: str, anchor: str | None) -> dict[str, object]:
    rate: Bd = row.rate
    over = row.pictures
    low, high = over.interval or (None, None)
    ends = over.range or (None, None)
    return {
        "dataset": section.dataset, "metric": section.metric.id, "anchor": anchor, "label": row.label,
        "bd_rate_percent": rate.value, "bd_metric": row.gain.value, "bd_metric_unit": decibels_or_unit(section.metric),
        "range_low": rate.low, "range_high": rate.high, "overlap": rate.overlap, "points_anchor": rate.n_anchor,
        "points": rate.n_test, "points_dropped": rate.dropped, "flags": "; ".join(rate.flags), "no_value": rate.reason,
        "pictures_mean_percent": over.mean, "pictures_low_95": low, "pictures_high_95": high,
        "pictures_median_percent": over.median, "pictures_won": over.won, "pictures": over.n,
        "pictures_range_low": ends[0], "pictures_range_high": ends[1],
        "pictures_low_overlap": over.flagged, "pictures_left_out": len(over.left_out),
        "pictures_in_mean_curve": section.n_used, "interpolation": method,
    }  # fmt: skip
