"""A small made-up run for the rules of reports: two lossy codecs, a lossless one, refused and failed points."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchbox.errors import BenchboxError
from benchbox.image import Image, digest, peak
from benchbox.metric import Display, Metric, Scorer
from benchbox.report import Results
from benchbox.store import COLUMNS
from benchbox.testing.pictures import picture

if TYPE_CHECKING:
    import pandas as pd

_SIZES = {"a.png": (64, 96), "b/c.png": (97, 61), "d é.png": (80, 80)}
_CODECS: dict[str, tuple[str, dict[str, int], tuple[float | None, ...]]] = {
    "one": ("one", {}, (10, 30, 50, 70, 90)), "two level=9": ("two", {"level": 9}, (1, 2, 3, 4)),
    "exact": ("exact", {}, (None,)),
}  # fmt: skip
_DATASET = "samples"


@dataclass(frozen=True)
class _Stated(Metric):
    """A metric of which only the facts are needed."""

    def open(self, device: str) -> Scorer:
        raise BenchboxError(f"{self.id}: a report must not score")


METRICS = (_Stated("psnr", "PSNR", "1", "dB", "higher", Display("PSNR (dB)", 2)),
           _Stated("ms-ssim", "MS-SSIM", "1", "", "higher", Display("MS-SSIM (dB)", 2, "db"), 0.0, 1.0))  # fmt: skip


def sample_run() -> Results:
    """The run, with the dtypes of the column table, and with decoded and source pictures."""
    import pandas as pd

    table = pd.DataFrame(list(_rows()))
    for column in COLUMNS:
        if column.name not in table:
            table[column.name] = None
    ordered = table[[*(column.name for column in COLUMNS), *(metric.column for metric in METRICS)]]
    frame = ordered.astype({column.name: column.dtype for column in COLUMNS})
    settings = {label: {"id": codec, "title": codec.title(), "identity": f"{codec} 1", "options": options,
                        "axis": None if qualities == (None,) else "quality", "device": "cpu"}
                for label, (codec, options, qualities) in _CODECS.items()}  # fmt: skip
    plan = f'name = "sample"\ndataset = ["{_DATASET}"]\nmetrics = ["psnr", "ms-ssim"]\n'
    return Results("sample", frame, METRICS, plan, {"cpu": "a processor", "libraries": {}, "gpus": []},
                   {_DATASET: ("made-up figures",)}, settings, (), _decoded, _source)  # fmt: skip


def without_pixels(results: Results) -> Results:
    """`results` as a published folder has them."""

    def gone(key: str) -> Image:
        raise BenchboxError(f"the data set {_DATASET} is not on this machine")

    return Results(results.name, results.frame, results.metrics, results.plan, results.environment,
                   results.dataset_notes, results.codec_settings, results.references, None, gone)  # fmt: skip


def one_point(results: Results) -> Results:
    """`results` with a single point, too few for a curve."""
    frame: pd.DataFrame = results.frame.iloc[:1].reset_index(drop=True)
    return Results(results.name, frame, results.metrics, results.plan, results.environment, results.dataset_notes,
                   results.codec_settings, results.references, results.pixels, results.original)  # fmt: skip


def _rows() -> Iterator[dict[str, Any]]:
    for sample in _SIZES:
        for label, (codec, options, qualities) in _CODECS.items():
            for quality in qualities:
                yield _row(sample, label, codec, options, quality)


def _row(sample: str, label: str, codec: str, options: dict[str, int], quality: float | None) -> dict[str, Any]:
    source = _source_of(sample)
    height, width, channels = source.shape
    key = f"{label}|{'' if quality is None else quality}|{sample}"
    row = {
        "run": "sample", "dataset": _DATASET, "sample": sample, "codec": codec, "label": label,
        "options": json.dumps(options), "quality": math.nan if quality is None else float(quality), "device": "cpu",
        "width": width, "height": height, "channels": channels, "bit_depth": 8, "status": "ok", "reason": "",
        "timing": "indicative", "null_reasons": "{}", "identity": f"{codec} 1", "host": "here", "key": key,
        "sample_sha256": digest(source), "stream_sha256": digest(source), "encode_s": 0.002, "decode_s": 0.001,
    }  # fmt: skip
    none = {"bytes": None, "bpp": math.nan, "exact": None, "psnr": math.nan, "ms_ssim": math.nan}
    if sample == "b/c.png" and label == "two level=9":
        said = ("unsupported", "two: this picture is too narrow") if quality != 4 else ("failed", "two: out of paper")
        return {**row, **none, "status": said[0], "reason": said[1]}
    decoded = _decoded(key)
    error = float(np.mean((decoded.astype(float) - source) ** 2))
    size = int(source.size * (1 if quality is None else 0.1 + _kept(label, quality) / 12))
    psnr = 10 * math.log10(peak(source) ** 2 / error) if error else math.nan
    return {**row, "bytes": size, "bpp": 8 * size / (width * height), "exact": not error, "psnr": psnr,
            "ms_ssim": 1.0 - error / 65025, "pixels_sha256": digest(decoded),
            "null_reasons": "{}" if error else '{"psnr": "the pictures are identical"}'}  # fmt: skip


def _kept(label: str, quality: float) -> int:
    """Upper bits that a codec keeps."""
    return 1 + int(quality * 0.06) if label == "one" else 1 + int(quality)


def _decoded(key: str) -> Image:
    label, quality, sample = key.split("|")
    source = _source_of(sample)
    if not quality:
        return source.copy()
    lost = 8 - _kept(label, float(quality))
    return np.asarray((source >> lost << lost) + (1 << lost >> 1), dtype=source.dtype)


def _source(key: str) -> Image:
    return _source_of(key.split("|")[2])


def _source_of(sample: str) -> Image:
    return picture(*_SIZES[sample], 3, 8)


def snapshot(results: Results) -> tuple[pd.DataFrame, str]:
    """All that a report could change in `results`, to compare later."""
    rest = (results.name, results.plan, results.environment, results.dataset_notes, results.codec_settings)
    return results.frame.copy(deep=True), repr(rest)


def files_below(folder: Path) -> set[str]:
    """The files below a folder, by their paths relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
