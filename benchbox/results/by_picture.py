"""Published curves that are given picture by picture, as rows among those of a run: reports then make their means,
BD-rates and intervals as they do for measured codecs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from benchbox.errors import StoreError, UsageError
from benchbox.image import Image
from benchbox.metric import Metric
from benchbox.reference import Reference
from benchbox.report import Results

if TYPE_CHECKING:
    import pandas as pd

KEY = "not measured here: "
"""Begins the key of each such row, which no store has."""


def with_literature(results: Results) -> Results:
    """`results` with rows for each reference that has `pictures`, labelled ``"TITLE, published"``; the other references
    stay.

    Raises:
        UsageError: a curve names no picture of its data set in the run.
    """
    given = [one for one in results.references if one.pictures]
    if not given:
        return results
    import pandas as pd

    settings: dict[str, Mapping[str, Any]] = dict(results.codec_settings)
    parts = []
    for one in given:
        label = _free(f"{one.title}, {one.kind}", settings)
        parts.append(_rows(results.frame, one, label, results.metrics))
        settings[label] = {"id": one.id, "title": one.title, "identity": f"{one.kind}: {one.source}", "options": {},
                           "axis": None, "device": f"not measured here; {one.convention}"}  # fmt: skip
    names = [name for name in results.frame if isinstance(results.frame[name].dtype, pd.CategoricalDtype)]
    frames = [results.frame.astype(dict.fromkeys(names, object)), *parts]
    frame = pd.concat([part.dropna(axis="columns", how="all") for part in frames], ignore_index=True)
    frame = frame.reindex(columns=results.frame.columns).astype(
        {name: "category" if name in names else dtype for name, dtype in results.frame.dtypes.items()})
    return replace(
        results, frame=frame, codec_settings=settings,
        references=[one for one in results.references if not one.pictures],
        pixels=_measured(results.pixels), original=_measured(results.original))


def _rows(frame: pd.DataFrame, one: Reference, label: str, metrics: Sequence[Metric]) -> pd.DataFrame:
    """The rows of one curve; without times, streams and pixels."""
    import pandas as pd

    inside = frame[(frame["dataset"].astype(str) == one.dataset).to_numpy()]
    sizes = inside.dropna(subset=["width", "height"]).drop_duplicates("sample").set_index("sample")
    known = {**{_stem(str(sample)): str(sample) for sample in sizes.index}, **{str(s): str(s) for s in sizes.index}}
    rows = []
    for picture, points in one.pictures.items():
        sample = known.get(picture) or known.get(_stem(picture))
        if sample is None:
            continue
        size = sizes.loc[sample]
        for k, (quality, bpp) in enumerate(zip(points.quality, points.bpp, strict=True)):
            values = {metric.id: points.metrics.get(metric.id, ())[k : k + 1] for metric in metrics}
            scores = {metric.column: values[metric.id][0] if values[metric.id] else None for metric in metrics}
            lacking = {metric.id: "not published" for metric in metrics if scores[metric.column] is None}
            rows.append({
                "run": size["run"], "dataset": one.dataset, "sample": sample, "codec": one.id, "label": label,
                "options": "{}", "quality": quality, "width": size["width"], "height": size["height"],
                "channels": size["channels"], "bit_depth": size["bit_depth"], "status": "ok", "reason": "", "bpp": bpp,
                "bytes": round(bpp * size["width"] * size["height"] / 8), "null_reasons": json.dumps(lacking),
                "identity": f"{one.kind}: {one.source}", "key": f"{KEY}{one.id} {sample} {quality:g}",
                "sample_sha256": size["sample_sha256"], **scores,
            })  # fmt: skip
    if not rows:
        raise UsageError(f"{one.title}: it has {', '.join(list(one.pictures)[:3])} ..., none of which is a picture of "
                         f"{one.dataset} in this run; name pictures as the run does, with or without suffix")
    table = pd.DataFrame(rows).drop_duplicates(["sample", "quality"])
    return table.astype({"quality": "float64", "bpp": "float64",
                         **{metric.column: "float64" for metric in metrics}})  # fmt: skip


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.casefold()


def _free(label: str, taken: Mapping[str, Any]) -> str:
    free, number = label, 1
    while free in taken:
        number += 1
        free = f"{label} {number}"
    return free


def _measured(source: Callable[[str], Image] | None) -> Callable[[str], Image] | None:
    if source is None:
        return None

    def read(key: str) -> Image:
        if key.startswith(KEY):
            raise StoreError(f"{key.removeprefix(KEY)}: was not measured here and has no stream")
        return source(key)

    return read
