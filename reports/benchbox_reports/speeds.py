"""Speeds of a run, from timing runs only: one table for each data set and host, so that hosts are never mixed.

A row counts if a timing run (``[timing]`` in a plan) took its times while nothing else ran. Disturbed rows are refused
and counted. The times of a quality run do not measure speed.
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
    """The speeds that one host measured on one data set.

    Attributes:
        dataset, host: their names.
        cpu: the host's processor as its last session recorded it, or "".
        codecs: a row for each label, device, batch and threads; the columns of `speed_columns` for both sides, and
            peak_bytes, points and pictures.
        operating_points: the same columns, with a row for each quality too.
    """

    dataset: str
    host: str
    cpu: str
    codecs: pd.DataFrame
    operating_points: pd.DataFrame

    @property
    def where(self) -> str:
        """Host and processor: ``"vm (AMD EPYC)"``."""
        return f"{self.host} ({self.cpu})" if self.cpu else self.host


def measure_speeds(results: Results, labels: Sequence[str]) -> tuple[Speeds, ...]:
    """The speeds of a run, by data set in the order of its frame, then by host name; none where nothing was timed."""
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
    order = {name: k for k, name in enumerate(frame["dataset"].drop_duplicates().astype(str))}
    return tuple(sorted(found, key=lambda one: (order[one.dataset], one.host)))


def speed_columns(side: str) -> tuple[str, ...]:
    """The names of the columns of one side, ``encode`` or ``decode``.

    ``mp_s``, ``mp_s_q1``, ``mp_s_q3``: megapixels per second of wall time, median and quartiles over the rows (pictures
    and qualities). ``s``, ``cpu_s``: wall and processor seconds for a picture, median over the rows of the median over
    repeats. ``spread_s``: median over the rows of the interquartile range of the repeats.
    """
    return tuple(f"{side}_{name}" for name in ("mp_s", "mp_s_q1", "mp_s_q3", "s", "spread_s", "cpu_s"))


def refusals(results: Results) -> str:
    """One or two sentences that say what the speed tables leave out; "" where they leave out nothing."""
    ok = went_through(results.frame)
    kinds = (results.frame["timing"][ok].astype(object).value_counts() if "timing" in results.frame
             else pd.Series(dtype=int))
    n, disturbed, timed = int(ok.sum()), int(kinds.get("disturbed", 0)), int(kinds.get("timed", 0))
    sentences = []
    if disturbed:
        sentences.append(f"{disturbed:,} of {n:,} operating points of single pictures are refused: other work ran "
                         "while they were timed; `benchbox run` on a quiet machine times them again.")
    if n - disturbed - timed:
        sentences.append(f"{n - disturbed - timed:,} of {n:,} were not timed; add [timing] to the plan to time them.")
    return " ".join(sentences)


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
    """Host -> its processor's name, where the run's sessions recorded it."""
    listed = environment.get("sessions")
    sessions = [s for s in listed if isinstance(s, Mapping)] if isinstance(listed, Sequence) else []
    return {str(s["host"]): str(s["cpu"]) for s in sessions if s.get("host") and s.get("cpu")}
