"""The result of a matched run: for each target what each codec reached, and how many pictures missed it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchbox.curves import went_through
from benchbox.metric import Metric
from benchbox_reports.analysis import Analysis
from benchbox_reports.wording import number

Cell: TypeAlias = tuple[str, ...]
"""The lines of a cell: what matters first, then the rest, then what is missed."""
_KEYS = ["dataset", "target", "label"]
NOTE = (
    "For each picture and codec the setting whose result is nearest the target; means over pictures, in which those "
    "that missed it count too. A picture missed a target if its nearest setting is more than 0.02 dB away (metrics in "
    "dB), 0.5 % of the bits (bpp), or 0.5 % of the distance to the best value (others): the codec has no setting "
    "nearer, or the target lies beyond its axis. Codecs are at equal quality or equal rate only where they reached it. "
    "The columns target and missed of the results say it row by row; tables/matched.csv has these numbers."
)


@dataclass(frozen=True)
class Matched:
    """The targets of one data set.

    Attributes:
        dataset: its name.
        targets: e.g. ``"psnr=35"``, in the plan's order.
        rows: label -> a cell for each target.
    """

    dataset: str
    targets: tuple[str, ...]
    rows: dict[str, tuple[Cell, ...]]


def is_matched(frame: pd.DataFrame) -> bool:
    """Whether a frame has rows of a matched run."""
    return "target" in frame and bool(frame["target"].notna().any())


def matched_table(analysis: Analysis) -> pd.DataFrame:
    """A row for each data set, target and codec.

    Columns: dataset, target, label, pictures, missed (pictures of these that missed it), without (of these, pictures
    that have no value to hold against it), farthest (largest distance of a picture's result from the target, in its
    unit), bpp and a column for each metric (means over the others).
    """
    columns = [*_KEYS, "pictures", "missed", "without", "farthest", "bpp", *(m.id for m in analysis.results.metrics)]
    order = _asked(analysis.results.plan)
    rows = [_row(key, own, analysis.results.metrics) for key, own in _groups(analysis)]
    rows.sort(key=lambda row: order.index(row["target"]) if row["target"] in order else len(order))
    return pd.DataFrame(rows, columns=columns)


def matched_targets(analysis: Analysis) -> list[Matched]:
    """The same as printed, a table for each data set; none of a run that is not matched."""
    table = matched_table(analysis)
    found = []
    for dataset, own in table.groupby("dataset", sort=False):
        targets = tuple(dict.fromkeys(own["target"]))
        cells = {(row["label"], row["target"]): _cell(row, analysis.results.metrics) for row in own.to_dict("records")}
        labels = [label for label in analysis.labels if label in set(own["label"])]
        found.append(Matched(str(dataset), targets,
                             {label: tuple(cells.get((label, target), ("–",)) for target in targets)
                              for label in labels}))
    return found


def _groups(analysis: Analysis) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame]]:
    """(data set, target, label), and the rows that are the nearest to that target."""
    frame = analysis.results.frame
    if not is_matched(frame):
        return
    rows = frame[frame["target"].notna().to_numpy(dtype=bool)]
    rows = rows.assign(target=rows["target"].astype(str).str.split(", ")).explode("target")
    rows = rows.astype(dict.fromkeys(_KEYS, object))
    yield from ((key, own) for key, own in rows.groupby(_KEYS, sort=False))  # type: ignore[misc]


def _row(key: tuple[str, str, str], own: pd.DataFrame, metrics: Sequence[Metric]) -> dict[str, object]:
    ok = went_through(own)
    of, value = _parsed(key[1])
    columns = {"bpp": "bpp", **{metric.id: metric.column for metric in metrics if metric.column in own}}
    values = {name: np.where(ok, own[column].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)
              for name, column in columns.items()}
    off = np.abs(values.get(of, np.full(len(own), np.nan)) - value)
    has = np.isfinite(off)
    values = {name: np.where(has, found, np.nan) for name, found in values.items()}
    missed = [key[1] in str(texts).split(", ") for texts in own["missed"]]
    return {**dict(zip(_KEYS, key, strict=True)), "pictures": len(own), "missed": sum(missed),
            "without": int((~has).sum()), "farthest": float(np.nanmax(off)) if has.any() else np.nan,
            **{name: float(np.nanmean(v)) if np.isfinite(v).any() else np.nan for name, v in values.items()}}


def _parsed(target: str) -> tuple[str, float]:
    """``("psnr", 35.0)`` of ``"psnr=35"``; a published table may hold anything."""
    of, _, text = target.partition("=")
    try:
        return of, float(text)
    except ValueError:
        return of, float("nan")


def _cell(row: dict[object, object], metrics: Sequence[Metric]) -> Cell:
    of, _ = _parsed(str(row["target"]))
    printed = {"bpp": f"{number(_known(row['bpp']), 3)} bpp"} | {
        m.id: f"{m.title} {number(_known(row.get(m.id)), 2 if m.unit else 4)} {m.unit}".rstrip() for m in metrics}
    known = [name for name in printed if _known(row.get(name)) is not None]
    order = [*(name for name in known if name != of), *(name for name in known if name == of)]
    return (*([printed[name] for name in order] or ["no value"]), _missed(row, metrics))


def _missed(row: dict[object, object], metrics: Sequence[Metric]) -> str:
    count, missed, without = (int(str(row[name])) for name in ("pictures", "missed", "without"))
    pictures = f"{count} picture{'' if count == 1 else 's'}"
    if not missed:
        return f"reached on {'all ' if count > 1 else ''}{pictures}"
    of, _ = _parsed(str(row["target"]))
    unit = "bpp" if of == "bpp" else next((metric.unit for metric in metrics if metric.id == of), "")
    farthest = _known(row["farthest"])
    by = "" if farthest is None else f", by up to {farthest:.2g} {unit}".rstrip()
    none = f"; {without} of them without a value" if without and farthest is not None else ""
    return f"missed on {missed} of {pictures}{by}{none}"


def _asked(plan: str) -> list[str]:
    """The targets of a plan, in its order; none where its text is no TOML, as that of several runs."""
    try:
        asked = tomllib.loads(plan).get("match", [])
    except tomllib.TOMLDecodeError:
        return []
    return [asked] if isinstance(asked, str) else [str(text) for text in asked] if isinstance(asked, list) else []


def _known(value: object) -> float | None:
    found = float("nan") if value is None else float(str(value))
    return None if np.isnan(found) else found
