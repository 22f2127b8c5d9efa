"""Reads curves from a CSV file, picture by picture: a row a codec, picture and operating point.

Columns, in any order: ``codec``, ``sample`` (or ``picture``, ``image``: its file name, with or without suffix), ``bpp``
(or ``bytes``, ``width`` and ``height``), perhaps ``quality`` and ``dataset``, and a column a metric, named by its id
(``psnr``, ``ms-ssim`` or ``ms_ssim``; as scored, MS-SSIM raw). Lines that begin with ``#`` say where the values are
from. Without ``quality``, the points of each picture are numbered by rising bpp.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchbox.errors import UsageError
from benchbox.files import Foreign, read_text
from benchbox.reference import PicturePoints, Reference
from benchbox_interchange.compressai_curves import LONGEST_TEXT, chosen_dataset, one_line

CURVES = Foreign("CSV file of curves", UsageError, "give the path of one")

PICTURE = ("sample", "picture", "image", "filename")
OTHER = frozenset({"codec", "label", "quality", "bpp", "bytes", "width", "height", "dataset", *PICTURE})
"""Columns that are not metrics."""
TIMES = re.compile(r".*(_s|time|seconds|mp/s|mp_s)$")
"""Columns of times, which are another machine's and not used."""
MOST_ROWS = 2_000_000


@dataclass
class _Points:
    quality: list[float | None] = field(default_factory=list)
    bpp: list[float] = field(default_factory=list)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)
    pixels: int | None = None


def read_curves(path: Path, datasets: Collection[str]) -> list[Reference]:
    """The curves in a CSV file, one for each codec and data set.

    Raises:
        UsageError: the file cannot be read or is not of this form; names file, line and column.
    """
    lines = io.StringIO(read_text(path, CURVES), newline="").readlines()
    try:
        return _curves(lines, path.name, datasets)
    except (UsageError, csv.Error) as error:
        raise UsageError(f"{path}: {error}") from None


def _curves(lines: Sequence[str], file: str, datasets: Collection[str]) -> list[Reference]:
    about = " ".join(line.lstrip("# ").strip() for line in lines if line.startswith("#"))
    numbered = [(k, line) for k, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if len(numbered) > MOST_ROWS:
        raise UsageError(f"has more than {MOST_ROWS:,} rows")
    rows = list(csv.reader([line for _, line in numbered]))
    if not rows:
        raise UsageError("is empty; its first line must name columns, as in codec,sample,bpp,psnr")
    head = [name.strip().lower() for name in rows[0]]
    picture = next((name for name in PICTURE if name in head), None)
    rates = "bpp" in head or {"bytes", "width", "height"} <= set(head)
    codec = next((name for name in ("codec", "label") if name in head), None)
    if picture is None or codec is None or not rates or len(set(head)) < len(head):
        raise UsageError(f"line 1: columns must be codec, sample, bpp and a metric each, all different; there are "
                         f"{', '.join(head)[:LONGEST_TEXT]}")
    metrics = [name for name in head if name not in OTHER and not TIMES.fullmatch(name)]
    same = [name for name in metrics if name != name.replace("_", "-") and name.replace("_", "-") in metrics]
    if same:
        raise UsageError(f"line 1: {same[0]} and {same[0].replace('_', '-')} are one metric; leave one of the two out")
    found: dict[tuple[str, str], dict[str, _Points]] = {}
    for (line, _), cells in zip(numbered[1:], rows[1:], strict=False):
        if len(cells) != len(head):
            raise UsageError(f"line {line}: has {len(cells)} values, the first line {len(head)}")
        row = dict(zip(head, (cell.strip() for cell in cells), strict=True))
        curve = found.setdefault((row[codec], row.get("dataset", "")), {})
        _add(curve.setdefault(row[picture], _Points()), row, metrics, line)
    if not found or not metrics:
        raise UsageError("has no metric; add a column such as psnr" if found else "has no row below its first line")
    return [_reference(name, dataset, curve, file, about, datasets) for (name, dataset), curve in found.items()]


def _add(points: _Points, row: Mapping[str, str], metrics: Sequence[str], line: int) -> None:
    bpp = _number(row, "bpp", line) if "bpp" in row else None
    if "bpp" not in row:
        size = [_number(row, name, line) for name in ("bytes", "width", "height")]
        bpp = None if any(number is None or number <= 0 for number in size) else 8.0 * float(size[0] or 0) / (
            float(size[1] or 1) * float(size[2] or 1))
    if bpp is None or bpp <= 0:
        raise UsageError(f"line {line}: bpp must be a positive number")
    points.bpp.append(bpp)
    points.pixels = _pixels(row)
    points.quality.append(_number(row, "quality", line) if row.get("quality") else None)
    for name in metrics:
        value, id_ = _number(row, name, line), name.replace("_", "-")
        if id_ == "ms-ssim" and value is not None and abs(value) > 1:
            raise UsageError(f"line {line}: {name} is {value:g}; write MS-SSIM raw, not in decibels")
        points.metrics.setdefault(id_, []).append(value)


def _pixels(row: Mapping[str, str]) -> int | None:
    size = [int(text) for name in ("width", "height") if re.fullmatch("[0-9]{1,9}", text := row.get(name, ""))]
    return math.prod(size) or None if len(size) == 2 else None


def _number(row: Mapping[str, str], name: str, line: int) -> float | None:
    text = row[name]
    if text.lower() in ("", "nan", "null", "none", "inf", "-inf", "infinity"):
        return None
    try:
        value = float(text.replace("_", "no digit"))  # Python takes 1_0 for 10
    except ValueError:
        raise UsageError(f"line {line}: {name} must be a number, not {one_line(text)[:40]}") from None
    return value if math.isfinite(value) else None


def _reference(
    name: str, dataset: str, curve: Mapping[str, _Points], file: str, about: str, datasets: Collection[str]
) -> Reference:
    place, cautions = chosen_dataset(dataset or None, datasets)
    shown = one_line(name) or Path(file).stem
    return Reference(
        id=re.sub(r"[^a-z0-9]+", "-", shown.lower()).strip("-") or "file", title=shown, dataset=place,
        convention="read from a file picture by picture and not checked",
        source="; ".join(filter(None, [one_line(file), one_line(about)])), bpp=(), metrics={},
        caution="; ".join(cautions), pictures={picture: _frozen(points) for picture, points in curve.items()})


def _frozen(points: _Points) -> PicturePoints:
    given = [quality for quality in points.quality if quality is not None]
    if len(given) < len(points.bpp):
        ranks = {k: rank for rank, k in enumerate(sorted(range(len(points.bpp)), key=points.bpp.__getitem__), 1)}
        given = [float(ranks[k]) for k in range(len(points.bpp))]
    return PicturePoints(tuple(given), tuple(points.bpp),
                         {metric: tuple(values) for metric, values in points.metrics.items()}, points.pixels)
