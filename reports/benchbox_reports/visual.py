"""The visual comparison: ``visual.html`` and, next to it, decoded pictures at matched rate, stored losslessly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image as PillowImage

import benchbox
from benchbox import curves
from benchbox.errors import BenchboxError, UsageError
from benchbox.image import Image
from benchbox.metric import Metric
from benchbox.naming import public
from benchbox.report import Results
from benchbox_reports.embed import as_json
from benchbox_reports.page import TEMPLATES, csp_hash, template
from benchbox_reports.pictures import to_8bit
from benchbox_reports.wording import decibels_or_unit, number

SIDE = 512
"""Longest side of a stored picture in pixels; a larger one is cropped to its middle."""
MOST_SHOWN = 150
"""Most decoded pictures stored, each at most SIDE x SIDE, with its error map."""
ERROR_TOP = 32
"""Mean absolute error over channels, of 255, that the error map draws brightest; the same for all pictures."""
FAR = 0.25
"""Difference of rate from the target, as a share of the target, above which a point is marked as off its target."""
_RAMP = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float64)


def parse_targets(text: str) -> list[float]:
    """Rates in bits per pixel, rising, from text like ``"0.1,0.25"``.

    Raises:
        UsageError: `text` is not a list of positive numbers; quotes it.
    """
    try:
        targets = [float(part) for part in text.split(",")]
    except ValueError:
        targets = []
    if not targets or not all(np.isfinite(t) and t > 0 for t in targets):
        raise UsageError(f"bpp={text}: write the target rates as positive numbers, e.g. bpp=0.1,0.25,0.5,1.0")
    return sorted(set(targets))


def render(results: Results, options: Any, out: Path) -> list[Path]:
    """Write ``visual.html`` and ``visual/*.webp`` below `out`; the page is the first file returned.

    Raises:
        UsageError: the target rates cannot be read, or no picture can be shown, for want of kept streams.
    """
    targets = parse_targets(options.bpp)
    results = public(results)
    frame = results.frame
    ok = frame[curves.went_through(frame) & frame["quality"].notna().to_numpy() & (frame["bpp"] > 0).to_numpy()]
    pictures = choose(ok, options.pictures)
    if pictures.empty or results.pixels is None or results.original is None:
        raise UsageError(f"{results.name}: there is no decoded picture to show; run a lossy codec and keep its streams")
    folder = out / "visual"
    folder.mkdir(exist_ok=True)
    shown: list[dict[str, Any]] = []
    budget, missing = MOST_SHOWN, [""]
    for number_, (dataset, sample) in enumerate(pictures.itertuples(index=False)):
        rows = ok[((ok["dataset"] == dataset) & (ok["sample"] == sample)).to_numpy(dtype=bool)]
        points = nearest(rows, targets)
        keys = list(dict.fromkeys(str(row["key"]) for _, row in points))[:budget]
        budget -= len(keys)
        try:
            original = to_8bit(crop(results.original(str(rows["key"].iloc[0]))))
        except BenchboxError as error:
            missing.append(f"{sample}: {error}")
            continue
        save(original, folder / f"{number_}.webp")
        files = _shots(keys, original, results.pixels, folder, number_, missing)
        entries = [_entry(target, row, results.metrics, files[str(row["key"])])
                   for target, row in points if str(row["key"]) in files]
        height, width = original.shape[:2]
        shown.append({"dataset": str(dataset), "name": str(sample), "file": f"visual/{number_}.webp", "width": width,
                      "height": height, "shots": entries,
                      "cropped": (width, height) != (int(rows["width"].iloc[0]), int(rows["height"].iloc[0]))})
    if not any(picture["shots"] for picture in shown):
        raise UsageError(f"{results.name}: no decoded picture can be shown{'; '.join(missing[:2])}; run the plan again")
    page = out / "visual.html"
    page.write_text(_page(results, shown, targets, missing[1:], out), encoding="utf-8", errors="replace")
    return [page, *sorted(folder.glob("*.webp"))]


def choose(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """`count` pictures, rows of dataset and sample, evenly spread over those that have an operating point."""
    pictures = rows[["dataset", "sample"]].drop_duplicates().reset_index(drop=True)
    places = np.unique(np.linspace(0, len(pictures) - 1, min(count, len(pictures))).round().astype(int))
    return pictures.iloc[places if len(pictures) else []]


def nearest(rows: pd.DataFrame, targets: Sequence[float]) -> list[tuple[float, pd.Series]]:
    """(target, row) for each target and label: the row of the label whose bpp is nearest to the target, as a ratio."""
    found = []
    for target in targets:
        for _, own in rows.groupby("label", observed=True, sort=False):
            distance = np.abs(np.log(own["bpp"].to_numpy(dtype=np.float64) / target))
            found.append((target, own.iloc[int(np.argmin(distance))]))
    return found


def crop(pixels: Image) -> Image:
    """The middle of a picture, at most SIDE x SIDE pixels."""
    top, left = (max(0, size - SIDE) // 2 for size in pixels.shape[:2])
    return pixels[top : top + SIDE, left : left + SIDE]


def error_map(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the mean absolute error over channels as a colour, from dark at 0 to bright at ERROR_TOP."""
    error = np.abs(original.astype(np.int16) - decoded.astype(np.int16)).mean(axis=2)
    place = np.clip(error / ERROR_TOP, 0, 1) * (len(_RAMP) - 1)
    steps = np.arange(len(_RAMP))
    return np.stack([np.interp(place, steps, _RAMP[:, k]) for k in range(3)], axis=2).round().astype(np.uint8)


def save(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a lossless WebP that keeps the colours under alpha 0."""
    PillowImage.fromarray(pixels).save(path, "WEBP", lossless=True, exact=True, method=2)


def _shots(
    keys: Sequence[str], original: NDArray[np.uint8], pixels: Callable[[str], Image], folder: Path, number_: int,
    missing: list[str],
) -> dict[str, str]:
    """Key -> stem of the files of its pixels and error map; errors of those that cannot be decoded go to `missing`."""
    files = {}
    for k, key in enumerate(keys):
        try:
            decoded = to_8bit(crop(pixels(key)))
        except BenchboxError as error:
            missing.append(str(error))
            continue
        stem = f"{number_}-{k}"
        save(decoded, folder / f"{stem}.webp")
        save(error_map(original, decoded), folder / f"{stem}-error.webp")
        files[key] = stem
    return files


def _entry(target: float, row: pd.Series, metrics: Sequence[Metric], stem: str) -> dict[str, Any]:
    facts = [f"{row['bpp']:.3f} bpp", f"quality {row['quality']:g}", f"{int(row['bytes']):,} bytes"]
    for metric in metrics:
        raw = np.array([row[metric.column]], dtype=np.float64) if metric.column in row else np.array([np.nan])
        value = float(curves.display(raw, metric)[0])
        if np.isfinite(value):
            facts.append(f"{metric.title} {number(value, metric.display.decimals)} {decibels_or_unit(metric)}".strip())
    return {"target": f"{target:g}", "label": str(row["label"]), "facts": facts, "file": f"visual/{stem}.webp",
            "error": f"visual/{stem}-error.webp", "far": bool(abs(row["bpp"] / target - 1) > FAR)}


def _page(
    results: Results, shown: list[dict[str, Any]], targets: Sequence[float], missing: Sequence[str], out: Path
) -> str:
    script = (TEMPLATES / "visual.js").read_text(encoding="utf-8")
    return str(template("visual.html").render(
        title=results.name, pictures=shown, targets=[f"{t:g}" for t in targets], missing=missing, far=FAR,
        data=as_json({"pictures": shown}), script=Markup(script),  # safe: our own file
        script_hash=Markup(csp_hash(script)), has_page=(out / "index.html").is_file(), version=benchbox.__version__,
        colours=[], top=ERROR_TOP, side=SIDE,
    ))
