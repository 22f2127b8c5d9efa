"""Reads a batch of webmproject/codec-compare, ours or another's, as a curve picture by picture.

A batch is an object with ``constant_descriptions``, ``constant_values``, ``field_descriptions`` and ``field_values``:
one row for each picture and quality. ``ssim`` and ``msssim`` are in decibels there, -10 log10(1 - value), and are
converted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbox.errors import UsageError
from benchbox.files import Foreign, read_json
from benchbox.reference import PicturePoints, Reference
from benchbox_interchange.compressai_curves import chosen_dataset, one_line

BATCH = Foreign("batch of codec-compare", UsageError, "give the path of one")

DECIBELS = {"ssim": "ssim", "msssim": "ms-ssim"}
"""Field in decibels -> metric id."""
NO_METRICS = frozenset({"original_name", "original_path", "encoded_name", "encoded_path", "width", "height", "quality",
                        "encoded_size", "bpp", "encoding_time", "decoding_time", "chroma_subsampling", "effort",
                        "raw_decoding_time", "encoder_version"})  # fmt: skip


def read_batch(path: Path, datasets: Collection[str]) -> Reference:
    """The curve in one batch. Raises UsageError that names the file and the problem."""
    data = read_json(path, BATCH)
    try:
        return _parse(data, path.name, datasets)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        raise UsageError(f"{path}: no batch of codec-compare: descriptions and values do not match") from None


def _parse(data: Any, file: str, datasets: Collection[str]) -> Reference:
    constants = dict(zip(_names(data["constant_descriptions"]), data["constant_values"], strict=True))
    fields = _names(data["field_descriptions"])
    rows = [dict(zip(fields, values, strict=True)) for values in data["field_values"]]
    if not rows or ("original_name" not in fields and "original_path" not in fields):
        raise UsageError("no batch of codec-compare with rows and a field original_name")
    set_ = one_line(constants.get("source_data_set")).partition(". ")[0]
    known = {name.partition(":")[2] or name for name in datasets} | set(datasets)
    dataset, cautions = chosen_dataset(set_ if set_ in known or len(datasets) > 1 else None, datasets)
    name = one_line(constants.get("name")) or one_line(constants.get("codec")) or Path(file).stem
    own = "benchbox" in one_line(constants.get("encoding_cmd")) or "benchbox" in one_line(constants.get("version"))
    return Reference(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "file", title=name, dataset=dataset,
        convention="read from a batch of codec-compare, picture by picture, and not checked",
        source="; ".join(filter(None, [one_line(file), one_line(constants.get("version"))])), bpp=(), metrics={},
        caution="; ".join(cautions), kind="earlier run" if own else "published", pictures=_pictures(rows, fields))


def _names(descriptions: Sequence[Mapping[str, str]]) -> list[str]:
    return [next(iter(one)) for one in descriptions]


def _pictures(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> dict[str, PicturePoints]:
    metrics = [name for name in fields if name not in NO_METRICS
               and all(_is_number(row[name]) for row in rows)]  # fmt: skip
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        picture = str(row.get("original_name") or row.get("original_path")).removeprefix("picture ")
        found.setdefault(picture, []).append(row)
    return {picture: PicturePoints(
        tuple(float(row["quality"]) if _is_number(row.get("quality")) else float(k)
              for k, row in enumerate(own, 1)),
        tuple(_rate(row) for row in own),
        {DECIBELS.get(name, name.replace("_", "-")): tuple(_value(row[name], name in DECIBELS) for row in own)
         for name in metrics}, _pixels(own[0])) for picture, own in found.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pixels(row: Mapping[str, Any]) -> int | None:
    size = [row.get("width"), row.get("height")]
    whole = [side for side in size if isinstance(side, int) and _is_number(side) and side > 0]
    return math.prod(whole) if len(whole) == 2 else None


def _rate(row: Mapping[str, Any]) -> float:
    for name in ("bpp",) if "bpp" in row else ("encoded_size", "width", "height"):
        if not _is_number(row[name]):
            raise UsageError(f"{name} must be a number, not {one_line(json.dumps(row[name]))}")
    bpp = float(row["bpp"]) if "bpp" in row else 8 * float(row["encoded_size"]) / (row["width"] * row["height"])
    if not (math.isfinite(bpp) and bpp > 0):
        raise UsageError(f"bpp must be a positive number, not {bpp:g}")
    return bpp


def _value(value: float, decibels: bool) -> float | None:
    if not math.isfinite(value):
        return None
    return 1 - 10 ** (-value / 10) if decibels else float(value)
