"""What failed, was unsupported or has no value, counted for tables and page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from benchbox import curves
from benchbox.report import Results


def problems(results: Results) -> pd.DataFrame:
    """Encodings that did not succeed, counted: columns dataset, label, status, reason, points, pictures and example
    (the name of one picture)."""
    frame = results.frame.loc[~curves.went_through(results.frame), ["dataset", "label", "status", "reason", "sample"]]
    rows = pd.DataFrame({
        "dataset": frame["dataset"].astype(str), "label": frame["label"].astype(str),
        "status": frame["status"].astype(object).where(frame["status"].notna(), "not measured"),
        "reason": frame["reason"].astype(object).where(frame["reason"].notna(), ""),
        "sample": frame["sample"].astype(str),
    })
    return _counted(rows, ["dataset", "label", "status", "reason"])


def nulls(results: Results) -> pd.DataFrame:
    """Metrics without a value although the encoding succeeded, counted: columns dataset, label, metric, reason, points,
    pictures and example. Exact results of lossless codecs do not count: identical pictures have no PSNR."""
    exact_lossless = results.frame["quality"].isna() & results.frame["exact"].fillna(False).astype(bool)
    scored = [metric.column for metric in results.metrics if metric.column in results.frame]
    frame = results.frame.loc[curves.went_through(results.frame) & ~exact_lossless.to_numpy(dtype=bool),
                              ["dataset", "label", "sample", "null_reasons", *scored]]
    parts = []
    for metric in results.metrics:
        if metric.column in frame.columns:
            rows = frame[frame[metric.column].isna().to_numpy(dtype=bool)]
            texts = rows["null_reasons"].dropna().unique()
            known: Mapping[str, str] = {text: curves.null_reason(text, metric.id) or "not scored" for text in texts}
            parts.append(pd.DataFrame({
                "dataset": rows["dataset"].astype(str), "label": rows["label"].astype(str), "metric": metric.title,
                "reason": rows["null_reasons"].map(known).fillna("not scored"), "sample": rows["sample"].astype(str),
            }))
    columns = ["dataset", "label", "metric", "reason"]
    return _counted(pd.concat(parts) if parts else pd.DataFrame(columns=[*columns, "sample"]), columns)


def _counted(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=[*columns, "points", "pictures", "example"])
    grouped = rows.groupby(columns, sort=False)["sample"]
    return grouped.agg(points="size", pictures="nunique", example="first").reset_index()
