"""BD-rates of every codec of a results frame against one of them, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from benchbox.curves.bd import Bd, RateTable
from benchbox.curves.curve import common_curves, image_curves
from benchbox.curves.pictures import BdOverPictures, PictureTable
from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric

_COLUMNS: Mapping[str, str] = {
    "dataset": "object", "metric": "object", "label": "object", "bd_rate": "float64", "pictures": "float64",
    "low": "float64", "high": "float64", "n": "int64", "overlap": "float64", "reason": "object",
}  # fmt: skip


def usual_anchor(codecs: Mapping[str, str]) -> str | None:
    """The label that others are compared with unless the user names one: ``jpeg``, else the first one of the codec
    ``jpeg``, else the first; None where there is none.

    Args:
        codecs: label -> codec id of each lossy codec, in the run's order.
    """
    if "jpeg" in codecs:
        return "jpeg"
    return next((label for label, codec in codecs.items() if codec == "jpeg"), next(iter(codecs), None))


def rates_against(frame: pd.DataFrame, metrics: Sequence[Metric], anchor: str) -> pd.DataFrame:
    """One row for each data set, metric and label other than `anchor`; columns and errors as in `benchbox.bd_rates`."""
    labels = list(dict.fromkeys(frame.loc[frame["quality"].notna(), "label"].astype(str)))
    if anchor not in labels:
        choice = f"; take one of {', '.join(labels)}" if labels else "; add a lossy codec, only these have curves"
        hint = did_you_mean(anchor, labels) or choice
        raise UnknownIdError(f"no codec with a curve in this run is called '{anchor}'{hint}")
    rows = [{"dataset": str(dataset), "metric": metric.id, **row}
            for metric in metrics for dataset in frame["dataset"].drop_duplicates()
            for row in _rows(frame[frame["dataset"] == dataset], metric, anchor, labels)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _rows(frame: pd.DataFrame, metric: Metric, anchor: str, labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One row for each of the run's lossy `labels` but the anchor, on the one data set of `frame`."""
    means = common_curves(frame, metric)[0]
    rates, pictures = RateTable(means), PictureTable(image_curves(frame, metric))
    places = {curve.label: place for place, curve in enumerate(means)}
    for label in labels:
        if label == anchor:
            continue
        absent = [name for name in (anchor, label) if name not in places or name not in pictures.labels]
        if absent:
            yield {"label": label, "n": 0, "reason": f"{absent[0]} has no curve on this data set"}
            continue
        bd, over = rates.bd(places[anchor], places[label]), pictures.summary(anchor, label)
        low, high = over.interval or (None, None)
        yield {"label": label, "bd_rate": bd.value, "pictures": over.mean, "low": low, "high": high, "n": over.n,
               "overlap": bd.overlap, "reason": _reason(bd, over)}  # fmt: skip


def _reason(bd: Bd, over: BdOverPictures) -> str:
    """Why `bd_rate`, `pictures`, or `low` and `high` are null, or ""."""
    return "; ".join(part for part in (bd.reason, over.why_no_interval) if part)
