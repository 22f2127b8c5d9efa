"""The mean curves of a results frame as a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbox.curves.curve import common_pictures, mean_curves
from benchbox.metric import Metric

_COLUMNS = ("dataset", "metric", "label", "codec", "quality", "bpp", "mean", "drawn", "n", "n_missing")


def curves_table(frame: pd.DataFrame, metrics: Sequence[Metric]) -> pd.DataFrame:
    """One row for each data set, metric, label and quality; columns as in `benchbox.rd_curves`."""
    parts = [
        pd.DataFrame({
            "dataset": curve.dataset, "metric": curve.metric, "label": curve.label, "codec": curve.codec,
            "quality": curve.quality, "bpp": curve.bpp, "mean": curve.raw, "drawn": curve.value, "n": curve.n,
            "n_missing": curve.n_missing,
        })
        for metric in metrics for curve in mean_curves(common_pictures(frame, metric)[0], metric)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_COLUMNS))
