"""Finds rows of a published table that contradict themselves: numbers that are not finite, a bpp that is not that of
the bytes, nulls without a reason. Needs no picture and no codec, so every row is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchbox.store import COLUMNS, MISSING, STATUSES

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("width", "height", "channels", "bit_depth", "bytes")
_NOT_NEGATIVE = (*(column.name for column in COLUMNS if column.unit == "s"), "peak_bytes")
"""Columns that a run without a timing session leaves null."""


def metric_columns(frame: pd.DataFrame) -> list[str]:
    """Names of the columns of `frame` that hold scores."""
    ours = {column.name for column in COLUMNS}
    return [str(name) for name in frame if name not in ours]


def row_faults(frame: pd.DataFrame) -> list[str]:
    """What is wrong with each row of a results frame, "" where nothing is.

    Curves and tables are drawn from rows with the status ok; of other rows only the status is looked at.
    """
    import pandas as pd

    ok = frame["status"].astype(object).eq("ok").to_numpy(dtype=bool)
    found: list[list[str]] = [[] for _ in range(len(frame))]

    def note(rows: Any, words: str, values: Any = None) -> None:
        for k in np.flatnonzero(rows).tolist():
            found[k].append(words if values is None else f"{words} {values[k]}")

    status = frame["status"].astype(object)
    note(~status.isin([*STATUSES, MISSING]).to_numpy(dtype=bool), "its status is", status.to_list())
    for name in ("dataset", "sample", "codec", "label", "key"):
        note(frame[name].isna().to_numpy(dtype=bool), f"{name} is null")
    place = ["dataset", "label", "quality", "sample", "device"]
    note(frame.duplicated(place, keep=False).to_numpy(dtype=bool), "the same point stands in two rows")
    number = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
              for name in (*_COUNTS, *_NOT_NEGATIVE, "bpp", "quality", *metric_columns(frame))}  # fmt: skip
    for name in (*_COUNTS, "bpp"):
        good = np.isfinite(number[name]) & (number[name] > 0)
        note(ok & ~good, f"{name} is", number[name])
        number[name] = np.where(good, number[name], np.nan)
    for name in _NOT_NEGATIVE:
        note(ok & (np.isinf(number[name]) | (number[name] < 0)), f"{name} is", number[name])
    note(ok & np.isinf(number["quality"]), "quality is", number["quality"])
    rate = 8 * number["bytes"] / (number["width"] * number["height"])
    note(ok & (np.abs(number["bpp"] - rate) > 1e-9 * rate), "bpp is not that of its bytes, which is", rate)
    for name in metric_columns(frame):
        note(ok & np.isinf(number[name]), f"{name} is", number[name])
        note(ok & np.isnan(number[name]) & ~_explained(frame, name), f"{name} is null without a reason")
    return ["; ".join(words) for words in found]


def _explained(frame: pd.DataFrame, column: str) -> Any:
    """(rows,) whether `null_reasons` names the metric of that column."""
    reasons = frame["null_reasons"].astype(object).fillna("").astype(str)
    return np.asarray(reasons.str.replace("-", "_").str.contains(f'"{column}"', regex=False), dtype=bool)
