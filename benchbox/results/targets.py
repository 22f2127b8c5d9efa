"""The targets of a matched run: which row is the nearest to which, and which target it misses."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import PlanError
from benchbox.files import read_text
from benchbox.metric import Metric
from benchbox.plan import Target, parse_target
from benchbox.results.records import RECORD

if TYPE_CHECKING:
    import pandas as pd

_SEARCH = ["dataset", "sample", "label"]


def with_targets(frame: pd.DataFrame, metrics: Sequence[Metric], plan: Path) -> pd.DataFrame:
    """`frame` with its columns ``target`` and ``missed`` filled in, if the plan in the file `plan` has `match`; a table
    that was published with them stays.

    The store does not keep what a row was found for: it follows from the rows, of which the nearest to each target is
    the one that its search ended with. A search without any value has its first row.
    """
    if not len(frame) or bool(frame["target"].notna().any()):
        return frame
    targets = _targets(plan, metrics)
    if not targets:
        return frame
    values = {target: _values(frame, target, metrics) for target in targets}
    found: list[list[str]] = [[] for _ in range(len(frame))]
    missed: list[list[str]] = [[] for _ in range(len(frame))]
    for places in frame.groupby(_SEARCH, observed=True, sort=False).indices.values():
        own = np.asarray(places)
        for target in targets:
            off = np.abs(values[target][own] - target.value)
            row = own[np.nanargmin(off)] if np.isfinite(off).any() else own[0]
            found[row].append(str(target))
            if not target.near(float(values[target][row])):
                missed[row].append(str(target))
    return frame.assign(target=_column(found), missed=_column(missed))


def _targets(plan: Path, metrics: Sequence[Metric]) -> list[Target]:
    """The targets of a plan file, without those by a metric that no plugin here offers; none of a file that is no
    plan."""
    if not plan.is_file():
        return []
    try:
        asked = tomllib.loads(read_text(plan, RECORD)).get("match", [])
    except (ValueError, RecursionError):
        return []
    found = []
    for text in [asked] if isinstance(asked, str) else asked if isinstance(asked, list) else []:
        try:
            found.append(parse_target(str(text), metrics))
        except PlanError:
            continue
    return list(dict.fromkeys(found))


def _values(frame: pd.DataFrame, target: Target, metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """What `target` is of, in each row; NaN where the row has no value."""
    column = next((metric.column for metric in metrics if metric.id == target.of), "bpp")
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where((frame["status"] == "ok").to_numpy(dtype=bool), values, np.nan)


def _column(texts: Sequence[Sequence[str]]) -> pd.Categorical:
    import pandas as pd

    return pd.Categorical([", ".join(own) or None for own in texts])
