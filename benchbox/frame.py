"""A run's rows from the store as one tidy DataFrame, with the dtypes of the column table."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from benchbox.columns import COLUMNS
from benchbox.errors import StoreError
from benchbox.metric import Metric
from benchbox.store import Store
from benchbox.timing import DISTURBED


def frame(store: Store, run: str, metrics: Sequence[Metric]) -> pd.DataFrame:
    """One row an operating point and picture, in the plan's order; one float64 column for each of `metrics`.

    Raises:
        StoreError: there is no such run; names those there are.
    """
    cursor = store.rows(run)
    table = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
    if table.empty:
        known = ", ".join(name for name, _ in store.runs()) or "none yet"
        raise StoreError(f"no run is called '{run}' in {store.workspace}; there are: {known}")
    table = table.merge(_timings(store, run), on="key", how="left")
    reasons = []
    for metric in metrics:
        values = pd.DataFrame(store.scores(run, metric.id, metric.version), columns=["key", metric.column, "why"])
        table = table.merge(values[["key", metric.column]], on="key", how="left")
        table[metric.column] = table[metric.column].astype("float64")
        reasons.append(values.loc[values["why"] != "", ["key", "why"]].assign(metric=metric.id))
    why = _by_key(pd.concat(reasons)) if reasons else {}
    table["null_reasons"] = [why.get(key, "{}") for key in table["key"]]
    table["bpp"] = 8.0 * table["bytes"].astype("float64") / (table["width"] * table["height"]).astype("float64")
    typed = table.astype({column.name: column.dtype for column in COLUMNS if column.name != "exact"})
    typed["exact"] = table["exact"].astype("Int64").astype("boolean")
    return typed[[column.name for column in COLUMNS] + [metric.column for metric in metrics]]


def _timings(store: Store, run: str) -> pd.DataFrame:
    """One row a key, from its best session: the last undisturbed one under protocol, else the last disturbed one, else
    the last quality run."""
    cursor = store.timings(run)
    raw = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
    kinds = ["indicative", "disturbed", "timed"]  # in rising order of worth
    kind = (raw["protocol"] == "timing").astype(int) * (1 + (raw["others"].astype(float) < DISTURBED).astype(int))
    raw["rank"] = kind.astype(str) + raw["session"]
    best = raw[raw["rank"] == raw.groupby("key")["rank"].transform("max")]
    grouped = best.groupby("key")
    table = grouped[["host", "threads", "batch", "rank", "peak_bytes"]].first()
    table["timing"] = [kinds[int(rank[0])] for rank in table.pop("rank")]
    table = table.join(grouped[["encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s"]].median())
    under_protocol = table["timing"] != "indicative"
    for side in ("encode", "decode"):
        spread: pd.Series | float = 0.0
        if under_protocol.any():  # quartiles of a million groups take a while
            spread = grouped[f"{side}_s"].quantile(0.75) - grouped[f"{side}_s"].quantile(0.25)
        table[f"{side}_spread_s"] = pd.Series(spread, index=table.index).where(under_protocol)
    return table.reset_index()


def _by_key(reasons: pd.DataFrame) -> dict[str, str]:
    grouped = reasons.groupby("key")
    return {str(key): json.dumps(dict(zip(g["metric"], g["why"], strict=True))) for key, g in grouped}
