"""BD-rates of every codec of a results frame against one of them, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from benchbox.curves.bd import RateTable
from benchbox.curves.curve import common_pictures, image_curves, mean_curves
from benchbox.curves.pictures import PictureTable
from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric

_COLUMNS = ("dataset", "metric", "label", "bd_rate", "pictures", "low", "high", "n", "overlap", "reason")


def compare_frame(frame: pd.DataFrame, metrics: Sequence[Metric], anchor: str) -> pd.DataFrame:
    """One row for each data set, metric and label other than `anchor`; columns and errors as in `benchbox.compare`."""
    labels = list(dict.fromkeys(frame.loc[frame["quality"].notna(), "label"].astype(str)))
    if anchor not in labels:
        choice = f"; take one of {', '.join(labels)}" if labels else "; add a lossy codec, only these have curves"
        hint = did_you_mean(anchor, labels) or choice
        raise UnknownIdError(f"no codec with a curve in this run is called '{anchor}'{hint}")
    rows = [row for metric in metrics for dataset in frame["dataset"].drop_duplicates()
            for row in _rows(frame[frame["dataset"] == dataset], str(dataset), metric, anchor)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _rows(frame: pd.DataFrame, dataset: str, metric: Metric, anchor: str) -> Iterator[dict[str, Any]]:
    means = mean_curves(common_pictures(frame, metric)[0], metric)
    rates, pictures = RateTable(means), PictureTable(image_curves(frame, metric))
    places = {curve.label: place for place, curve in enumerate(means)}
    for label, place in places.items():
        if label == anchor or anchor not in places:
            continue
        bd, over = rates.bd(places[anchor], place), pictures.summary(anchor, label)
        low, high = over.interval or (None, None)
        yield {"dataset": dataset, "metric": metric.id, "label": label, "bd_rate": bd.value, "pictures": over.mean,
               "low": low, "high": high, "n": over.n, "overlap": bd.overlap, "reason": bd.reason}  # fmt: skip
