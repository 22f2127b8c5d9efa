"""Speeds of a run, made from timing rows only: one table for each data set and host, never two hosts in one.

A row counts when it was timed under protocol (``[timing]`` in a plan) with no other work beside it; what was disturbed
is refused and counted, what a quality run noted by the way is not speed at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchbox.curves import went_through
from benchbox.report import Results

SIDES = ("encode", "decode")
_SETTING = ["label", "device", "batch", "threads"]
MEGA = 1e6


@dataclass(frozen=True, eq=False)
class Speeds:
    """What one host measured on one data set.

    Attributes:
        codecs: one row a codec (by `label`, device, batch and threads); columns as in `speed_columns`.
        operating_points: the same, one row for each quality too.
        cpu: the host's processor as its last session noted it, or "".
    """

    dataset: str
    host: str
    cpu: str
    codecs: pd.DataFrame
    operating_points: pd.DataFrame

    @property
    def where(self) -> str:
        """``"vm (AMD EPYC)"``."""
        return f"{self.host} ({self.cpu})" if self.cpu else self.host


def measure_speeds(results: Results, labels: Sequence[str]) -> tuple[Speeds, ...]:
    """The speeds of a run, in the order of data sets in its frame and of host names; none where nothing was timed."""
    frame = results.frame
    rows = frame[went_through(frame) & np.asarray(frame["timing"].isin(["timed"]), dtype=bool)] if (
        "timing" in frame.columns) else frame.iloc[:0]
    if rows.empty:
        return ()
    rows = rows.assign(
        label=pd.Categorical(rows["label"].astype(str), [*labels]), device=rows["device"].astype(str),
        **{f"{side}_mp_s": _megapixels(rows) / rows[f"{side}_s"] for side in SIDES},
    )
    cpus = _cpus(results.environment)
    found = []
    for (dataset, host), own in rows.groupby(["dataset", "host"], observed=True, sort=False):
        where = {"dataset": str(dataset), "host": str(host)}
        found.append(Speeds(str(dataset), str(host), cpus.get(str(host), ""), _table(own, _SETTING, where),
                            _table(own, [*_SETTING, "quality"], where)))
    order = {name: k for k, name in enumerate(frame["dataset"].astype(str).drop_duplicates())}
    return tuple(sorted(found, key=lambda one: (order[one.dataset], one.host)))


def speed_columns(side: str) -> tuple[str, ...]:
    """The columns of one side, ``encode`` or ``decode``: megapixels a second of wall time, median over the rows
    (pictures and qualities) with their quartiles; wall and processor seconds a picture, median over the rows of the
    median over repeats; `spread_s`, the median over the rows of the interquartile range of the repeats."""
    return tuple(f"{side}_{name}" for name in ("mp_s", "mp_s_q1", "mp_s_q3", "s", "spread_s", "cpu_s"))


def refusals(results: Results) -> str:
    """What the speed tables do not take, in one or two sentences; "" where they take everything."""
    ok = results.frame[went_through(results.frame)]
    kinds = ok["timing"].astype(object).value_counts() if "timing" in ok.columns else pd.Series(dtype=int)
    n, disturbed, timed = len(ok), int(kinds.get("disturbed", 0)), int(kinds.get("timed", 0))
    told = []
    if disturbed:
        told.append(f"{disturbed:,} of {n:,} operating points of single pictures are refused: other work ran beside "
                    "them while they were timed; `benchbox run` on a quiet machine takes them again.")
    if n - disturbed - timed:
        told.append(f"{n - disturbed - timed:,} of {n:,} have no times under protocol; [timing] in the plan takes "
                    "them.")
    return " ".join(told)


def _megapixels(rows: pd.DataFrame) -> Any:
    return (rows["width"] * rows["height"]).astype("float64") / MEGA


def _table(rows: pd.DataFrame, by: list[str], where: Mapping[str, str]) -> pd.DataFrame:
    grouped = rows.groupby(by, observed=True, sort=True, dropna=False)
    columns: dict[str, Any] = {}
    for side in SIDES:
        speed = grouped[f"{side}_mp_s"]
        made = (speed.median(), speed.quantile(0.25), speed.quantile(0.75), grouped[f"{side}_s"].median(),
                grouped[f"{side}_spread_s"].median(), grouped[f"{side}_cpu_s"].median())
        columns |= dict(zip(speed_columns(side), made, strict=True))
    columns |= {"peak_bytes": grouped["peak_bytes"].max(), "points": grouped.size(),
                "pictures": grouped["sample"].nunique()}
    table = pd.DataFrame(columns).reset_index()
    table["label"] = table["label"].astype(str)
    for k, (name, value) in enumerate(where.items()):
        table.insert(k, name, value)
    return table


def _cpus(environment: Mapping[str, Any]) -> dict[str, str]:
    """Host -> its processor's name, as far as the run's sessions tell."""
    listed = environment.get("sessions")
    sessions = [s for s in listed if isinstance(s, Mapping)] if isinstance(listed, Sequence) else []
    return {str(s["host"]): str(s["cpu"]) for s in sessions if s.get("host") and s.get("cpu")}
