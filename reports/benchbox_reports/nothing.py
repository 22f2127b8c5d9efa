"""Why a run has no curves by a metric."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbox import curves
from benchbox.curves import Curve, LeftOut
from benchbox.metric import Metric


def why_nothing(frame: pd.DataFrame, means: Sequence[Curve], metric: Metric, left_out: Sequence[LeftOut]) -> str:
    """Why none of the mean curves `means` has a point, in words.

    Args:
        frame: the rows of a data set.
        means: its mean curves.
        metric: what they are by.
        left_out: the pictures that no mean includes.
    """
    if not frame["quality"].notna().any():
        return "none of the codecs is lossy"
    if left_out and not any((curve.n + curve.n_missing).any() for curve in means):
        one = left_out[0]
        return (f"no picture has {metric.title} of every codec, e.g. {one.label} has none of {one.sample} "
                f"({one.reason}); choose codecs that share pictures with --codecs")
    ok = frame[curves.went_through(frame) & frame["quality"].notna().to_numpy()]
    if ok.empty:
        return "no encoding went through"
    values = ok[metric.column] if metric.column in ok.columns else pd.Series(dtype=float)
    if values.notna().any():
        return "no operating point has a value on every picture"
    reasons = [curves.null_reason(text, metric.id) for text in ok["null_reasons"].drop_duplicates()]
    known = next((reason for reason in reasons if reason), "")
    return f"{metric.title} has no value on any picture" + (f": {known}" if known else "")
