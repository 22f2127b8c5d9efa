"""Reads CompressAI's results JSON as a `Reference`.

The format is what ``python -m compressai.utils.bench`` and ``compressai.utils.eval_model`` print and CompressAI keeps
in its repository (1.2.8): an object with ``name``, ``description``, perhaps ``meta``, and ``results``, which holds one
list a quantity, all of one length: ``bpp``, ``psnr-rgb``, ``ms-ssim-rgb`` (raw, not decibels), ``encoding_time``,
``decoding_time`` in seconds. Older files write ``psnr`` and ``ms-ssim``; the quantities may also stand at the top
level, without ``results``: ``compressai.utils.plot`` reads that too. ``eval_model --per-image`` writes a file for each
picture and model, with ``source``, the picture's name, and numbers in place of lists.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from benchbox.dataset import public_name
from benchbox.errors import UsageError
from benchbox.files import Foreign, read_json
from benchbox.reference import PicturePoints, Reference

RESULTS = Foreign("CompressAI results JSON", UsageError, "give the path of one")

NO_METRICS = frozenset({"bpp", "quality", "encoding_time", "decoding_time"})
"""Lists of a results file that are not metrics."""
LONGEST_TEXT = 120
"""Characters of a name or description that are kept, because they are printed in legends and notes."""


def read_curve(path: Path, datasets: Collection[str]) -> Reference:
    """The curve in one file; see `parse`.

    Raises:
        UsageError: the file cannot be read or is not such a file; names the file, the problem and the place.
    """
    data = read_json(path, RESULTS)
    try:
        return parse(data, path.name, datasets)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def parse(data: object, file: str, datasets: Collection[str]) -> Reference:
    """A curve from the value of a CompressAI results JSON.

    Points are sorted by bpp. A list ``KEY`` or ``KEY-rgb`` becomes the metric ``KEY``; null, NaN and infinity in it
    (CompressAI writes ``Infinity`` for the PSNR of identical pictures) become None. The data set is the file's
    ``meta.dataset``, else the only one of `datasets`, with a caution.

    Args:
        data: the result of ``json.loads``.
        file: name of the file, for title and source.
        datasets: the run's data sets as its plan names them.

    Raises:
        UsageError: says what is wrong, without the file's name.
    """
    if not isinstance(data, dict):
        raise UsageError('no CompressAI results: it must be an object with "name" and "results"')
    results = data.get("results", data)
    if not isinstance(results, dict) or "bpp" not in results:
        raise UsageError('no CompressAI results: "results" must be an object with a list "bpp"')
    alone = _one_picture(data, results)
    if alone:
        results = {key: [value] for key, value in results.items() if not isinstance(value, str)}
    bpp = _rates(results["bpp"])
    metrics = _metrics(results, len(bpp))
    meta = data["meta"] if isinstance(data.get("meta"), dict) else {}
    dataset, cautions = chosen_dataset(meta.get("dataset"), datasets)
    name, description = one_line(data.get("name")) or one_line(Path(file).stem), one_line(data.get("description"))
    if "estimat" in description.lower():
        cautions.append("its rates are estimates of entropy, no streams were written")
    order = sorted(range(len(bpp)), key=lambda k: bpp[k])
    if alone:
        return Reference(
            id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "file", title=name, dataset=dataset,
            convention="read from CompressAI's files of single pictures and not checked", bpp=(), metrics={},
            source=f"CompressAI's results, picture by picture; {description}", caution="; ".join(cautions),
            pictures={alone: PicturePoints((1.0,), (bpp[0],), {m: (values[0],) for m, values in metrics.items()})})
    return Reference(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "file",
        title=f"{name} ({one_line(file)})",
        dataset=dataset,
        convention="read from a file and not checked; CompressAI's are means of bpp and of metrics over the pictures "
                   "at each quality",
        source="; ".join(filter(None, [one_line(file), description,
                                       *(one_line(meta.get(k)) for k in ("source", "url"))])),
        bpp=tuple(bpp[k] for k in order),
        metrics={metric: tuple(values[k] for k in order) for metric, values in metrics.items()},
        caution="; ".join(cautions),
        kind="earlier run" if one_line(meta.get("source")).startswith("benchbox ") else "published",
    )  # fmt: skip


def _one_picture(data: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """The picture of a file that ``eval_model --per-image`` wrote, one for each picture and model; "" for any other."""
    single = isinstance(results["bpp"], int | float) and not isinstance(results["bpp"], bool)
    return one_line(data.get("source")) if single else ""


def _rates(values: object) -> list[float]:
    rates = _numbers(values, "bpp")
    if not rates:
        raise UsageError('"bpp" has no point')
    checked = [rate for rate in rates if rate is not None and rate > 0]
    if len(checked) < len(rates):
        place = next(k for k, rate in enumerate(rates) if rate is None or rate <= 0)
        raise UsageError(f'"bpp"[{place}] must be a positive number')
    return checked


def _metrics(results: Mapping[str, object], count: int) -> dict[str, list[float | None]]:
    metrics: dict[str, list[float | None]] = {}
    for key, values in results.items():
        metric = one_line(key.removesuffix("-rgb"))
        if key in NO_METRICS or (not isinstance(values, list) and metric not in ("psnr", "ms-ssim")):
            continue  # other strings and objects among the lists are notes, not values
        if metric in metrics:
            raise UsageError(f'"{one_line(key)}" stands twice, with and without "-rgb"; take one out')
        metrics[metric] = _numbers(values, one_line(key))
        if len(metrics[metric]) != count:
            raise UsageError(f'"{one_line(key)}" has {len(metrics[metric])} values, "bpp" has {count}')
    if not any(value is not None for values in metrics.values() for value in values):
        raise UsageError('no metric has a value; there must be a list as "psnr-rgb" or "ms-ssim-rgb"')
    if any(value is not None and abs(value) > 1 for value in metrics.get("ms-ssim", [])):
        raise UsageError('"ms-ssim" has a value beyond 1; write MS-SSIM raw, not in decibels')
    return metrics


def _numbers(values: object, key: str) -> list[float | None]:
    if not isinstance(values, list):
        raise UsageError(f'"{key}" must be a list of numbers, one a point')
    return [_number(value, f'"{key}"[{place}]') for place, value in enumerate(values)]


def _number(value: object, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{place} must be a number, not {one_line(json.dumps(value))}")
    try:
        number = float(value)
    except OverflowError:
        raise UsageError(f"{place} is too large a number") from None
    return number if math.isfinite(number) else None


def chosen_dataset(named: object, datasets: Collection[str]) -> tuple[str, list[str]]:
    """The run's data set that the file was measured on, and cautions about that."""
    names = sorted(datasets)
    known = ", ".join(public_name(name) for name in names)
    if isinstance(named, str) and named:
        fits = [name for name in names if named.casefold() in (name.casefold(), public_name(name).casefold())]
        if len(fits) == 1:
            return fits[0], []
        raise UsageError(f'measured on {one_line(named)}, the run on {known}; if the pictures are the same, '
                         'write that name into its "meta.dataset"')
    if len(names) != 1:
        raise UsageError(f'does not say on which of the run\'s data sets ({known}) it was measured; write '
                         '"meta": {"dataset": "..."} into it')
    return names[0], [f"the file does not name its pictures, they are taken to be those of {known}"]


def one_line(value: Any) -> str:
    """`value` as one short printable line; "" if it is not a string."""
    if not isinstance(value, str):
        return ""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(value.split()))
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
