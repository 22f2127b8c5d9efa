"""Writes batches for the page of webmproject/codec-compare: a file for each label and data set, with a row for each
picture and quality.

The page's treatment of a batch decides what is written:

- It knows constants and fields by name and compares batches by the fields that all of them have. Lossless codecs have
  no distortion, so they get a list of their own; in one list the lossy codecs would lose their distortion too.
- It reads a null as the number 0. So a row that lacks a value of some metric is left out, the constant ``left_out``
  counts such rows, and a field without any value is not written.
- It matches distortion metrics within 1 %. Raw SSIM and MS-SSIM close to 1 would all match each other, so both are
  written in decibels, -10 log10(1 - value), as codec-compare-gen writes SSIM.
- Constants are strings; the page replaces ``${field}`` in them by a row's value.
- It treats a column of strings that all look like numbers as numbers, which match within 10 %. A column of names must
  not be taken so.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbox import curves
from benchbox.dataset import public_name
from benchbox.errors import BenchboxError
from benchbox.metric import Metric
from benchbox.report import Results
from benchbox_interchange.files import safe_names, write_json

Floats: TypeAlias = NDArray[np.float64]
NAMES = {"ms-ssim": "msssim"}
"""Metric id -> codec-compare's name for it, where that differs from the column's name."""
IN_DECIBELS = ("ssim", "ms-ssim")


@dataclass(frozen=True, eq=False)
class Field:
    """A column of a batch.

    Attributes:
        values: one for each row; None, NaN and infinity, which codec-compare cannot read, count as absent.
        costs_rows: whether a row without this value is left out; otherwise the field is, for all rows.
    """

    name: str
    description: str
    values: Sequence[Any]
    costs_rows: bool = False

    @property
    def has(self) -> NDArray[np.bool_]:
        """(N,) whether each row has a value."""
        return np.array([v is not None and (isinstance(v, str) or math.isfinite(v)) for v in self.values], dtype=bool)


@dataclass(frozen=True)
class Batch:
    """One codec configuration on one data set; `content` is the JSON."""

    dataset: str
    label: str
    lossless: bool
    content: dict[str, Any]


def render(results: Results, out: Path) -> list[Path]:
    """Write lists of batches, ``codec-compare/DATASET.json`` and ``codec-compare/DATASET-lossless.json``, and next to
    each a folder of its batches, ``DATASET/LABEL.json``, below `out`. Returns the files, lists first.

    Raises:
        BenchboxError: nothing of the run went through.
    """
    made = list(batches(results))
    if not made:
        raise BenchboxError(f"run {results.name} has nothing for codec-compare: no encoding went through with a value "
                            "of every metric; see problems.csv and nulls.csv of --format tables")
    folder = out / "codec-compare"
    datasets = safe_names((_list_name(batch) for batch in made), public_name)
    labels = safe_names(batch.label for batch in made)
    lists: dict[str, list[list[str]]] = {}
    files = []
    for batch in made:
        name = datasets[_list_name(batch)]
        place = f"{name}/{labels[batch.label]}.json"
        files.append(write_json(folder / place, batch.content))
        lists.setdefault(name, []).append([place])
    return [*(write_json(folder / f"{name}.json", places) for name, places in lists.items()), *files]


def _list_name(batch: Batch) -> str:
    return f"{batch.dataset} lossless" if batch.lossless else batch.dataset


def batches(results: Results) -> Iterator[Batch]:
    """A batch for each data set and label that has a usable row: one that succeeded and has a value of every metric
    for which the label has any value."""
    frame = results.frame
    for (dataset, label), rows in frame.groupby(["dataset", "label"], sort=False, observed=True):
        ok = rows[curves.went_through(rows) & rows["bytes"].notna().to_numpy(dtype=bool)]
        if ok.empty:
            continue
        numeric = all(_like_number(str(name)) for name in frame["sample"][frame["dataset"] == dataset].unique())
        fields = [field for field in _fields(ok, results.metrics, "picture " if numeric else "") if field.has.any()]
        fields = [field for field in fields if field.costs_rows or field.has.all()]
        whole = np.flatnonzero(np.logical_and.reduce([field.has for field in fields])).tolist()
        if not whole:
            continue
        constants = _constants(results, str(dataset), str(label), ok, len(rows) - len(whole), len(rows))
        yield Batch(str(dataset), str(label), bool(ok["quality"].isna().all()), {
            "constant_descriptions": [{name: description} for name, description, _ in constants],
            "constant_values": [value for _, _, value in constants],
            "field_descriptions": [{field.name: field.description} for field in fields],
            "field_values": [[field.values[k] for field in fields] for k in whole],
        })


def _fields(rows: pd.DataFrame, metrics: Sequence[Metric], prefix: str) -> Iterator[Field]:
    timed = "depends on the machine and on what else ran"
    yield Field("original_name", "Picture, as its data set names it", [f"{prefix}{name}" for name in rows["sample"]])
    yield Field("width", "Pixel columns", _integers(rows["width"]))
    yield Field("height", "Pixel rows", _integers(rows["height"]))
    yield Field("quality", "The codec's setting that the sweep varies", _floats(rows["quality"]))
    yield Field("encoded_size", "Bytes of the stream, headers included", _integers(rows["bytes"]))
    yield Field("bpp", "Bits per pixel, 8 * encoded_size / (width * height)", _floats(rows["bpp"]))
    yield Field("encoding_time", f"Seconds to encode; {timed}", _floats(rows["encode_s"]))
    yield Field("decoding_time", f"Seconds to decode; {timed}", _floats(rows["decode_s"]))
    for metric in metrics:
        if metric.column in rows.columns:
            yield _metric_field(metric, rows[metric.column])


def _metric_field(metric: Metric, column: pd.Series) -> Field:
    raw = column.to_numpy(dtype=np.float64, na_value=np.nan)
    name, unit = NAMES.get(metric.id, metric.column), f" in {metric.unit}" if metric.unit else ""
    if metric.id in IN_DECIBELS:
        raw, unit = -10 * np.log10(np.where(raw < 1, 1 - raw, np.nan)), f" in dB, -10 log10(1 - {metric.title})"
    return Field(name, f"{metric.title}{unit}, {metric.better} is better (benchbox {metric.id} {metric.version})",
                 raw.tolist(), costs_rows=True)


def _constants(
    results: Results, dataset: str, label: str, rows: pd.DataFrame, n_left_out: int, n_rows: int
) -> list[tuple[str, str, str]]:
    """(name, description, value) of everything that all rows share."""
    settings: Mapping[str, Any] = results.codec_settings.get(label, {})
    codec, options = str(rows["codec"].iloc[0]), str(rows["options"].iloc[0])
    session = (results.environment.get("sessions") or [{}])[-1]
    given = [
        ("name", "Name of this batch: the codec and its options that differ from their defaults", label),
        ("codec", "Codec", codec),
        ("version", "Plugin and libraries that the bytes depend on", str(rows["identity"].iloc[0])),
        ("time", "When the run ended, or last began", str(session.get("end") or session.get("start") or "")),
        ("source_data_set", "Data set", _about(results, dataset)),
        ("encoding_cmd", "A command that encodes a picture with these options", _command(codec, options, rows)),
        ("codec_title", "The codec's full name", str(settings.get("title", ""))),
        ("options", "All options of the codec", options),
        ("hardware", "Processor that took the times", str(session.get("cpu") or "")),
        ("left_out", "Rows of the run that are not in this batch: they failed, or a metric has no value",
         f"{n_left_out} of {n_rows}" if n_left_out else ""),
    ]
    return [constant for constant in given if constant[2]]


def _about(results: Results, dataset: str) -> str:
    """The data set and the notes that every report must print about it; a folder is named by its last part."""
    path, notes = dataset.partition(":")[2], results.dataset_notes.get(dataset, ())
    if "/" in path:
        notes = [note.replace(path, Path(path).name) for note in notes]
    return ". ".join([public_name(dataset), *notes])


def _command(codec: str, options: str, rows: pd.DataFrame) -> str:
    pairs = ",".join(f"{key}={value}" for key, value in json.loads(options or "{}").items() if value is not None)
    quality = " --quality ${quality}" if rows["quality"].notna().all() else ""
    named = shlex.quote(f"{codec}:{pairs}" if pairs else codec)
    return f"benchbox encode ${{original_name}} --codec {named}{quality} --output stream.bin"


def _like_number(text: str) -> bool:
    """Whether JavaScript's ``Number`` may parse `text`."""
    trimmed = text.strip().lower()
    if trimmed[:2] in ("0x", "0o", "0b"):
        return True
    try:
        float(trimmed or "0")
    except ValueError:
        return False
    return True


def _floats(column: pd.Series) -> list[float]:
    values: list[float] = column.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
    return values


def _integers(column: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else int(value) for value in column]
