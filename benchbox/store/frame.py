"""A run's rows from the store as one tidy DataFrame, with the dtypes of the column table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbox.errors import StoreError
from benchbox.metric import Metric
from benchbox.plan import DISTURBED
from benchbox.store.accepted import check_texts, check_values
from benchbox.store.columns import COLUMNS
from benchbox.store.database import Store
from benchbox.store.tables import DamagedRows
from benchbox.store.typed_rows import read_columns

Floats: TypeAlias = NDArray[np.float64]

_DTYPES = {column.name: column.dtype for column in COLUMNS}
_KINDS = ("disturbed", "indicative", "timed")
"""Values of the column ``timing``."""
_INDICATIVE = _KINDS.index("indicative")
_WORTH = np.array([1, 0, 2])
"""Rank of each kind: undisturbed timings are used first, then disturbed ones, then those of a quality run."""


def frame(store: Store, run: str, metrics: Sequence[Metric]) -> pd.DataFrame:
    """One row for each operating point and picture, in the plan's order; one float64 column for each of `metrics`.

    Raises:
        StoreError: there is no such run; the message names the runs that exist.
    """
    table = read_columns(store.rows(run), {**_DTYPES, "ordinal": "float64"})
    count = len(table["key"])
    if not count:
        known = ", ".join(name for name, _ in store.runs()) or "none yet"
        raise StoreError(f"no run is called '{run}' in {store.workspace}; there are: {known}")
    if not np.array_equal(table.pop("ordinal"), np.arange(count)):
        raise DamagedRows(f"some rows of run {run} are missing")
    table |= _timings(store, run, table)
    table |= {name: _no_texts(count) for name in ("target", "missed")}  # which rest on the plan
    scores = read_columns(store.values(run), {"ordinal": "float64", "metric": "category", "version": "category",
                                              "value": "float64", "reason": "category"})  # fmt: skip
    place = _places(scores["ordinal"], run, count)
    null_reasons: dict[int, dict[str, str]] = {}
    for metric in metrics:
        own = np.asarray((scores["metric"] == metric.id) & (scores["version"] == metric.version), dtype=bool)
        table[metric.column] = np.full(count, np.nan)
        table[metric.column][place[own]] = scores["value"][own]
        with_reason = own & np.asarray(scores["reason"] != "", dtype=bool)
        for row, reason in zip(place[with_reason].tolist(), scores["reason"][with_reason], strict=True):
            null_reasons.setdefault(row, {})[metric.id] = str(reason)
    texts = np.full(count, "{}", dtype=object)
    for row, reasons in null_reasons.items():
        texts[row] = json.dumps(reasons)
    table["null_reasons"] = pd.array(texts, dtype="string")
    check_texts({name: table[name].categories for name in ("status", "options")})
    check_values(table, [metric.column for metric in metrics])
    table["bpp"] = 8.0 * _float(table["bytes"]) / _float(table["width"] * table["height"])
    return pd.DataFrame({name: table[name] for name in [*_DTYPES, *(metric.column for metric in metrics)]})


def _timings(store: Store, run: str, points: Mapping[str, Any]) -> dict[str, Any]:
    """The time columns of the rows that have the columns `points`. Each row's times are from one session: the last
    undisturbed timing session, else the last disturbed one, else the last quality run."""
    count = len(points["key"])
    read = read_columns(store.timings(run), _DTYPES | {
        "ordinal": "float64", "session": "category", "protocol": "category", "others": "float64"})
    sources = read.pop("source_sha256")
    raw = pd.DataFrame(read)
    raw = raw[_of_points(points, _places(read["ordinal"], run, count), sources)].reset_index(drop=True)
    protocol, quiet = (raw["protocol"] == "timing").to_numpy(dtype=bool), (raw["others"] < DISTURBED).to_numpy()
    raw["kind"] = np.where(protocol, np.where(quiet, _KINDS.index("timed"), _KINDS.index("disturbed")), _INDICATIVE)
    sessions = raw["session"].cat
    rank = _WORTH[raw["kind"]] * (len(sessions.categories) + 1) + sessions.codes.to_numpy(dtype=np.int64)
    best = raw[rank == pd.Series(rank).groupby(raw["ordinal"]).transform("max").to_numpy()]
    grouped = best.groupby("ordinal")
    rows = range(count)
    first = grouped[["host", "threads", "batch", "peak_bytes", "kind"]].first()
    kind = first.pop("kind").reindex(rows)
    table: dict[str, Any] = {name: first[name].reindex(rows).array for name in first}
    table["host"] = table["host"].remove_unused_categories()
    kinds = pd.Categorical.from_codes(kind.fillna(-1).astype(int), dtype=pd.CategoricalDtype([*_KINDS]))
    table["timing"] = kinds.remove_unused_categories()
    seconds = grouped[["encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s"]].median().reindex(rows)
    table |= {name: seconds[name].to_numpy() for name in seconds}
    table |= _spreads(best[best["kind"] != _INDICATIVE], rows)
    return table


def _places(ordinals: Floats, run: str, count: int) -> NDArray[np.int64]:
    """Places of rows among the `count` of a run."""
    if ((ordinals < 0) | (ordinals >= count)).any():
        raise DamagedRows(f"some rows of run {run} are missing")
    return ordinals.astype(np.int64)


def _of_points(points: Mapping[str, Any], ordinals: NDArray[np.int64], sources: pd.Categorical) -> NDArray[np.bool_]:
    """Which timings, of `points` with these ordinals and taken with these `sources` of the codec's plugin, count: not
    those of a plugin that has changed since, where the point was measured again. (A database could tell by a look at
    each point once more, which takes as long as to read its timings.)"""
    own = points["source_sha256"]
    places = np.append(own.categories.get_indexer(sources.categories), -1)  # the last: of what is not known
    theirs = own.codes[ordinals]
    changed = (sources.codes >= 0) & (theirs >= 0) & (places[sources.codes] != theirs)
    measured = np.asarray(points["status"] != "missing", dtype=bool)[ordinals]
    return np.asarray(measured & ~changed)


def _no_texts(count: int) -> pd.Categorical:
    """So many rows of categories, all null."""
    return pd.Categorical.from_codes(np.full(count, -1, dtype=np.int8), categories=pd.Index([], dtype=object))


def _spreads(timed: pd.DataFrame, rows: range) -> dict[str, Floats]:
    """Interquartile ranges, in seconds, of the repeats of timing sessions."""
    found = {}
    for side in ("encode", "decode"):
        seconds = timed.groupby("ordinal")[f"{side}_s"]
        found[f"{side}_spread_s"] = (seconds.quantile(0.75) - seconds.quantile(0.25)).reindex(rows).to_numpy()
    return found


def _float(values: Any) -> Floats:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
