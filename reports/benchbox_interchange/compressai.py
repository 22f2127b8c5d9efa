"""Writes mean curves in CompressAI's results format (1.2.8), which ``python -m compressai.utils.bench`` prints and
``python -m compressai.utils.plot`` reads. One file holds one label on one data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import benchbox
from benchbox import curves
from benchbox.curves import Curve
from benchbox.dataset import public_name
from benchbox.errors import BenchboxError
from benchbox.report import Results
from benchbox_interchange.files import safe_names, write_json

Floats: TypeAlias = NDArray[np.float64]
KEYS = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""Metric id -> CompressAI's name; other metrics keep their id. Values are as scored: MS-SSIM raw, PSNR in dB."""
TIMES = {"encoding_time": "encode_s", "decoding_time": "decode_s"}
"""CompressAI's name -> our column, in seconds."""


def render(results: Results, out: Path) -> list[Path]:
    """Write ``compressai/DATASET/LABEL.json`` below `out` for every label that has a curve.

    Raises:
        BenchboxError: no label has a curve, or the run is a matched one, whose settings differ from picture to picture.
    """
    lossy = results.frame[results.frame["quality"].notna()]
    if len(lossy) and "target" in lossy and bool(lossy["target"].notna().all()):
        raise BenchboxError(f"run {results.name} was matched, so that settings differ from picture to picture and have "
                            "no mean curves, which CompressAI's format is of; run its codecs without match, or take "
                            "matched.csv of --format tables")
    made = list(documents(results))
    if not made:
        raise BenchboxError(f"run {results.name} has nothing for CompressAI: no lossy codec has an operating point "
                            "with a mean of its metrics; see problems.csv and nulls.csv of --format tables")
    folders = safe_names((dataset for dataset, _, _ in made), public_name)
    labels = safe_names(label for _, label, _ in made)
    return [write_json(out / "compressai" / folders[dataset] / f"{labels[label]}.json", document, indent=2)
            for dataset, label, document in made]


def documents(results: Results) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(data set, label, document) of every mean curve.

    A file has one list of bpp, so all its metrics are means over the same pictures: those that are usable for every
    metric of the run (`benchbox.curves.common_pictures`). Points without bpp or without one of the label's metrics are
    left out, since the format has no null; the description says how many.
    """
    frame = results.frame
    for dataset in frame["dataset"].drop_duplicates():
        rows = frame[(frame["dataset"] == dataset).to_numpy(dtype=bool)]
        kept = rows
        for metric in results.metrics:
            kept = curves.common_pictures(kept, metric)[0]
        by_label: dict[str, list[Curve]] = {}
        for metric in results.metrics:
            for curve in curves.mean_curves(kept, metric):
                by_label.setdefault(curve.label, []).append(curve)
        for label, own in by_label.items():
            mine = kept[(kept["label"] == label).to_numpy(dtype=bool)]
            document = _document(results, own, mine, kept["sample"].nunique(), rows["sample"].nunique())
            if document is not None:
                yield str(dataset), label, document


def _document(
    results: Results, own: Sequence[Curve], rows: pd.DataFrame, n_used: int, n_pictures: int
) -> dict[str, Any] | None:
    first = own[0]  # all have the same bpp, quality and order, since they come from the same rows
    scored = [curve for curve in own if np.isfinite(curve.raw).any()]
    usable = np.isfinite(first.bpp) & (first.bpp > 0)
    for curve in scored:
        usable &= np.isfinite(curve.raw)
    if not scored or not usable.any():
        return None
    lists: dict[str, Floats] = {"bpp": first.bpp}
    lists |= {KEYS.get(curve.metric, curve.metric): curve.raw for curve in scored}
    lists |= _mean_times(rows, first.quality, n_used)
    lists["quality"] = first.quality
    return {
        "name": first.label,
        "description": _description(results, first, n_used, n_pictures, int((~usable).sum())),
        "meta": {"source": f"benchbox {benchbox.__version__}", "type": "image", "dataset": public_name(first.dataset)},
        "results": {key: values[usable].tolist() for key, values in lists.items()
                    if np.isfinite(values[usable]).all()},
    }  # fmt: skip


def _mean_times(rows: pd.DataFrame, quality: Floats, n_used: int) -> dict[str, Floats]:
    """Mean seconds over the pictures at each quality; NaN where some picture has no time."""
    ok = rows[curves.went_through(rows)]
    grouped = ok.groupby("quality")[list(TIMES.values())].agg(["mean", "count"]).reindex(quality)
    return {key: np.where(grouped[column]["count"] == n_used, grouped[column]["mean"], np.nan)
            for key, column in TIMES.items()}


def _description(results: Results, curve: Curve, n_used: int, n_pictures: int, n_dropped: int) -> str:
    settings: Mapping[str, Any] = results.codec_settings.get(curve.label, {})
    pictures = f"{n_used} pictures" if n_used == n_pictures else f"{n_used} of {n_pictures} pictures"
    parts = [str(settings.get("title", curve.codec)), str(settings.get("identity", "")),
             f"means over {pictures} of {public_name(curve.dataset)} at each quality"]
    if n_dropped:
        parts.append(f"{n_dropped} operating points without a mean are left out")
    return ". ".join(filter(None, parts))
