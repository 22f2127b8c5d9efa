"""The numbers that the page's script draws, as one JSON text inside the page, since ``file://`` forbids fetch.

The script computes no BD-rate: those of all pairs are embedded as printed, and those of single pictures as log ratios,
which the script turns into percent. Values of operating points are integers, `scale` times the value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from benchbox import curves
from benchbox.metric import Metric
from benchbox_reports.analysis import Analysis, Comparison, Section
from benchbox_reports.figures import is_log, lossless_in_range
from benchbox_reports.headline import apart_heading, sentences, without_curves
from benchbox_reports.look import Look, palette
from benchbox_reports.measure import rankings, rate_decimals
from benchbox_reports.pareto import DrawnSpeeds
from benchbox_reports.pictures import picture_tags, thumbnails
from benchbox_reports.settings import measured_here
from benchbox_reports.speeds import SIDES
from benchbox_reports.tables import bd_rows
from benchbox_reports.wording import remarks, unbroken

MOST_VALUES = 250_000
"""Most numbers of single pictures that a page holds (about 1.6 MB): 20 codecs x 20 qualities x 100 pictures with 5
metrics are 240,000. The page of a larger run has mean curves only."""
RATIO = 100_000
"""Log ratios of pictures are embedded as integers, this many times the value: an error of 0.001 percent of bits."""
MEAN_RATIO = 10_000_000_000
"""The same for means and intervals, so fine that they are printed as Python prints them, to the last digit."""


def page_data(
    analysis: Analysis, look: Mapping[str, Look], names: Sequence[str], speeds: Mapping[str, DrawnSpeeds],
    most_small: int,
) -> dict[str, Any]:
    """Everything that the page's script draws, ready for `as_json`.

    Args:
        analysis: the run.
        look: label -> its look.
        names: ids of the sections' figures, in the order of the sections.
        speeds: data set -> its speeds.
        most_small: how many pictures get a thumbnail.
    """
    frame, colours = analysis.results.frame, palette(look.values())
    datasets = list(dict.fromkeys(str(d) for d in frame["dataset"].drop_duplicates()))
    whole = len(frame) * (1 + len(analysis.results.metrics)) <= MOST_VALUES
    pictures = {d: _names(frame["sample"][(frame["dataset"] == d).to_numpy(dtype=bool)]) for d in datasets}
    small = thumbnails(analysis.results, most_small) if whole else {}
    return {
        "anchor": analysis.anchor or "",
        "labels": analysis.labels,
        "names": shown_names(analysis), "asked": asked_names(analysis),
        "apart": apart_heading(list(analysis.published)),
        "headline": {"": without_curves(analysis), **{
            anchor: [unbroken(text) for text in sentences(analysis, anchor, speeds)] for anchor in _anchors(analysis)}},
        "looks": {label: [colours.index((style.colour, style.dark)), style.marker_path, style.dasharray,
                          style.published, style.family] for label, style in look.items()},
        "datasets": [{"name": d, "pictures": pictures[d], "small": [small.get((d, p), "") for p in pictures[d]],
                      "tags": picture_tags(frame, d, pictures[d]), "timed": speeds[d].few,
                      **_points(analysis, d, pictures[d], speeds[d])}
                     if whole else
                     {"name": d, "pictures": [], "small": [], "tags": [], "timed": speeds[d].few, "pixels": [],
                      "codecs": []}
                     for d in datasets],
        "metrics": {metric.id: _metric(metric) for metric in analysis.results.metrics},
        "sections": [_section(section, name, pictures[section.dataset] if whole else None)
                     for section, name in zip(analysis.sections, names, strict=True)],
        "ratio": RATIO, "mean_ratio": MEAN_RATIO,
        "speeds": {d: {side: {label: [_significant(v) for v in values] for label, values in codecs.items()}
                       for side, codecs in drawn.sides.items()} for d, drawn in speeds.items()},
    }


def shown_names(analysis: Analysis) -> list[str]:
    """Every name that the page can hide: codecs with a curve, lossless codecs in a figure, published curves."""
    names: list[str] = []
    for section in analysis.sections:
        names += [c.label for c in section.drawable] + [label for label, _ in lossless_in_range(section)]
        names += [p.curve.label for p in section.published]
    return list(dict.fromkeys(names))


def asked_names(analysis: Analysis) -> list[str]:
    """The names, of `shown_names`, that the reader of a crowded page sees at the start beside the best of each family:
    curves that were asked for by ``--literature``, and the codecs that the run's appearance lists or highlights."""
    look = analysis.results.appearance
    read = [label for label in analysis.labels if not measured_here(analysis, label)]
    asked = {*analysis.published, *read, *look.codecs, look.highlight}
    return [name for name in shown_names(analysis) if name in asked]


def _anchors(analysis: Analysis) -> list[str]:
    """Every name that BD-rates can be compared with."""
    return list(dict.fromkeys(label for s in analysis.sections if s.pairs is not None for label in s.pairs.labels))


def as_json(data: Any) -> Markup:
    """`data` as JSON that is safe inside a ``<script>``: no string in it can end the element or open a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # safe: no character with a meaning in HTML is left


def _metric(metric: Metric) -> dict[str, Any]:
    return {"title": metric.title, "label": metric.display.label, "unit": metric.unit,
            "decimals": metric.display.decimals, "db": metric.display.transform == "db", "scale": _scale(metric),
            "better": metric.better}


def _scale(metric: Metric) -> int:
    return int(10 ** metric_digits(metric))


def metric_digits(metric: Metric) -> int:
    """Decimals of a metric: six where it is drawn as -10 log10(1 - value), which needs them near 1; else one more than
    is printed."""
    return 6 if metric.display.transform == "db" else metric.display.decimals + 1


def _section(section: Section, name: str, pictures: Sequence[str] | None) -> dict[str, Any]:
    digits = metric_digits(section.metric)
    return {
        "id": name, "dataset": section.dataset, "metric": section.metric.id, "log": is_log(section.drawable),
        "curves": [
            {"label": c.label, "quality": _floats(c.quality, 6), "bpp": _floats(c.bpp, 6),
             "raw": _floats(c.raw, digits), "bytes": _floats(section.mean_bytes[c.label], 0)} for c in section.curves
        ],
        "published": [{"label": p.curve.label, "bpp": _floats(p.curve.bpp, 6), "raw": _floats(p.curve.raw, digits)}
                      for p in section.published],
        "lossless": lossless_in_range(section),
        "bd": {} if section.pairs is None else {
            anchor: [[cells, remarks(row), *_mean_curves(row)]
                     for cells, row in zip(bd_rows(section, rows), rows, strict=True)]
            for anchor, rows in section.pairs.against.items()},
        "digits": {} if section.pairs is None else {anchor: rate_decimals(rows)
                                                    for anchor, rows in section.pairs.against.items()},
        "ratios": _ratios(section, pictures),
        "n": section.n_used, "all": section.n_pictures, "apart": _apart(section),
        "used": [k for k, name in enumerate(pictures or ()) if name not in {item.sample for item in section.left_out}],
    }


def _apart(section: Section) -> dict[str, list[str]]:
    """Anchor -> the codecs that are not ranked against it, since their means are over other pictures than most."""
    anchors = () if section.pairs is None else section.pairs.labels
    found = {anchor: sorted(label for one in rankings(section, anchor) for label in one.apart) for anchor in anchors}
    return {anchor: labels for anchor, labels in found.items() if labels}


def _mean_curves(row: Comparison) -> list[float | None]:
    """The BD-rate by mean curves in percent, of a pair that has no other."""
    return _floats([math.nan if row.rate.value is None else row.rate.value], 9) if row.published else []


def _ratios(section: Section, pictures: Sequence[str] | None) -> dict[str, Any] | None:
    """log10 rate ratios of the pairs i < j: mean, how many pictures, interval and, where the page has `pictures`, those
    of each picture. The ratios of a pair i > j are the negatives of those of j, i."""
    if section.pairs is None:
        return None
    table = section.pairs.pictures
    upper = np.triu_indices(len(table.labels), 1)
    low, high = table.intervals
    place = {name: k for k, name in enumerate(pictures or ())}
    return {
        "labels": table.labels, "pictures": [place[s] for s in table.samples] if pictures else [],
        "log": [_ints(table.log_ratios[:, i, j], RATIO) if pictures else [] for i, j in zip(*upper, strict=True)],
        "n": np.isfinite(table.log_ratios).sum(axis=0)[upper].tolist(),
        **{name: _ints(values[upper], MEAN_RATIO)
           for name, values in (("mean", table.means), ("low", low), ("high", high))},
    }


def _points(analysis: Analysis, dataset: str, pictures: list[str], speeds: DrawnSpeeds) -> dict[str, Any]:
    """The operating points of a data set: the number of pixels of each picture and, for each codec, its qualities, then
    bytes, metric values and, where speeds are drawn, microseconds, picture by picture and within it quality by quality;
    null where there is no value."""
    frame = analysis.results.frame
    frame = frame[((frame["dataset"] == dataset).to_numpy(dtype=bool) & frame["quality"].notna().to_numpy())]
    place = {name: k for k, name in enumerate(pictures)}
    ok = frame[curves.went_through(frame)]
    size = pd.Series(ok["width"].astype(float).to_numpy() * ok["height"].astype(float).to_numpy())
    pixels = size.groupby(ok["sample"].astype(object).map(place).to_numpy()).first()
    codecs = []
    for label, rows in ok.groupby("label", observed=True, sort=False):
        qualities = np.sort(rows["quality"].unique())
        where = (rows["sample"].astype(object).map(place).to_numpy(dtype=np.int64) * len(qualities)
                 + np.searchsorted(qualities, rows["quality"].to_numpy(dtype=np.float64)))

        def spread(values: Any, scale: int, where: Any = where, count: int = len(qualities)) -> list[int | None]:
            flat = np.full(count * len(pictures), np.nan)
            flat[where] = np.asarray(values, dtype=np.float64)
            return _ints(flat, scale)

        codecs.append({
            "label": str(label), "quality": _floats(qualities, 6), "bytes": spread(rows["bytes"].astype(float), 1),
            "values": {metric.id: spread(rows[metric.column].astype(float), _scale(metric))
                       for metric in analysis.results.metrics if metric.column in rows.columns},
            **({"times": {side: spread(rows[f"{side}_s"].where(rows["timing"] == "timed").astype(float), 1_000_000)
                          for side in SIDES}} if str(label) in speeds.sides["encode"] else {}),
        })
    return {"pixels": [int(pixels.get(k, 0)) for k in range(len(pictures))], "codecs": codecs}


def _names(column: pd.Series) -> list[str]:
    return [str(name) for name in column.drop_duplicates()]


def _significant(value: float) -> float:
    return float(f"{value:.6g}")


def _ints(values: Any, scale: int) -> list[int | None]:
    scaled = np.round(np.asarray(values, dtype=np.float64) * scale)
    return [int(v) if fine else None for v, fine in zip(scaled.tolist(), np.isfinite(scaled).tolist(), strict=True)]


def _floats(values: Any, digits: int) -> list[float | None]:
    rounded = np.round(np.asarray(values, dtype=np.float64), digits)
    return [(int(v) if v == int(v) else v) if fine else None
            for v, fine in zip(rounded.tolist(), np.isfinite(rounded).tolist(), strict=True)]
