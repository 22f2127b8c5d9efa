"""The visual comparison: ``visual.html`` and, next to it, decoded pictures at matched rate, stored losslessly."""

from __future__ import annotations

import shlex
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
from benchbox.values import listed
from benchbox_reports.analysis import choose_anchor
from benchbox_reports.crops import SIDE as CROP
from benchbox_reports.crops import Crop, busiest, parse_crop, write_crops
from benchbox_reports.document import VISUAL_SCRIPTS, csp_hash, script_of, template
from benchbox_reports.embed import as_json
from benchbox_reports.pictures import to_8bit
from benchbox_reports.shots import FAR, FAR_QUALITY, RATE, Shot, choose, extremes, ratios, shots
from benchbox_reports.wording import decibels_or_unit, number

SIDE = 512
"""Longest side of a stored picture in pixels; a larger one is cropped to its middle."""
MOST_SHOWN = 150
"""Most decoded pictures stored, each at most SIDE x SIDE, with its error map."""
ERROR_TOP = 32
"""Mean absolute error over channels, of 255, that the error map draws brightest; the same for all pictures."""
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
    targets, part = parse_targets(options.bpp), parse_crop(options.crop)
    results = public(results)
    frame = results.frame
    ok = frame[curves.went_through(frame) & frame["quality"].notna().to_numpy() & (frame["bpp"] > 0).to_numpy()]
    labels = [str(label) for label in ok["label"].drop_duplicates()]
    anchor = choose_anchor(ok, labels, options.anchor, results.references) if labels else None
    anchor = anchor if anchor in labels else next(iter(labels), "")
    gains = ratios(ok, results.metrics, anchor)
    pictures = choose(ok, options.pictures, gains)
    if pictures.empty or results.pixels is None or results.original is None:
        raise UsageError(f"{results.name}: there is no decoded picture to show; run a lossy codec and keep its streams")
    folder = out / "visual"
    folder.mkdir(exist_ok=True)
    shown: list[dict[str, Any]] = []
    missing = [""]
    for number_, (dataset, sample) in enumerate(pictures.itertuples(index=False)):
        rows = ok[((ok["dataset"] == dataset) & (ok["sample"] == sample)).to_numpy(dtype=bool)]
        points = shots(rows, targets, anchor, results.metrics)
        keys = list(dict.fromkeys(str(shot.row["key"]) for shot in points))[: max(1, MOST_SHOWN // len(pictures))]
        try:
            original = to_8bit(crop(results.original(str(rows["key"].iloc[0]))))
        except BenchboxError as error:
            missing.append(f"{sample}: {error}")
            continue
        save(original, folder / f"{number_}.webp")
        files = _shots(keys, original, results.pixels, folder, number_, missing)
        entries = [_entry(shot, results.metrics, files[str(shot.row["key"])])
                   for shot in points if str(shot.row["key"]) in files]
        height, width = original.shape[:2]
        shown.append({"dataset": str(dataset), "name": str(sample), "file": f"visual/{number_}.webp", "width": width,
                      "height": height, "shots": entries, "place": number_,
                      "cropped": (width, height) != (int(rows["width"].iloc[0]), int(rows["height"].iloc[0]))})
    if not any(picture["shots"] for picture in shown):
        raise UsageError(f"{results.name}: no decoded picture can be shown{'; '.join(missing[:2])}; run the plan again")
    ends = extremes(gains, [(picture["dataset"], picture["name"]) for picture in shown])
    grids = _crop_grids(shown, part, _crop_codecs(options.codecs, labels, anchor, gains), out)
    page = out / "visual.html"
    text = _page(results, shown, ends, missing[1:], out)
    page.write_text(text, encoding="utf-8", errors="replace")
    return [page, *sorted(folder.glob("*.webp")), *grids]


def _crop_codecs(wanted: str, labels: Sequence[str], anchor: str, gains: pd.DataFrame) -> list[str]:
    """The codecs of the crop grid: those that the option names, or the anchor and the two that need the fewest bits."""
    if wanted:
        chosen = listed(wanted, ";")
        for name in chosen:
            if name not in labels:
                raise UsageError(f"codecs={wanted}: no lossy codec of the run is called '{name}'; take some of "
                                 f"{'; '.join(labels)}")
        return chosen
    best = [str(label) for label in gains.mean().dropna().sort_values().index[:2]] if len(gains) else []
    return list(dict.fromkeys([anchor, *best] if best else labels[:3]))


def _crop_grids(
    shown: list[dict[str, Any]], part: Crop | None, codecs: Sequence[str], out: Path
) -> list[Path]:
    """Write a crop grid of each picture, or of the one that `part` names, at the middle target rate, and list the files
    in its ``crops``."""
    written: list[Path] = []
    for picture in shown:
        picture["crops"] = []
        if part is not None and part.picture != picture["place"]:
            continue
        at_rate = [shot for shot in picture["shots"] if shot["match"] == RATE]
        target = at_rate[0]["target"] if at_rate else ""  # the middle one comes first
        chosen = [shot for label in codecs for shot in at_rate if shot["label"] == label and shot["target"] == target]
        if not chosen:
            continue
        original, *decoded = (np.asarray(PillowImage.open(out / one["file"])) for one in (picture, *chosen))
        x, y = (part.x, part.y) if part else busiest(original[:, :, :3], [one[:, :, :3] for one in decoded])
        box = (x, y, part.width, part.height) if part else (x, y, CROP, CROP)
        panels = [("original", picture["name"], original),
                  *((shot["label"], shot["caption"], one) for shot, one in zip(chosen, decoded, strict=True))]
        files = write_crops(out / "visual" / f"crops-{picture['place']}", panels, box)
        picture["crops"] = [f"visual/{file.name}" for file in files]
        written += files
    return written


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


def _entry(shot: Shot, metrics: Sequence[Metric], stem: str) -> dict[str, Any]:
    row = shot.row
    facts = [f"{row['bpp']:.3f} bpp", f"quality {row['quality']:g}", f"{int(row['bytes']):,} bytes"]
    scores = []
    for metric in metrics:
        raw = np.array([row[metric.column]], dtype=np.float64) if metric.column in row else np.array([np.nan])
        value = float(curves.display(raw, metric)[0])
        if np.isfinite(value):
            scores.append(f"{metric.title} {number(value, metric.display.decimals)} {decibels_or_unit(metric)}".strip())
    return {"match": shot.match, "target": shot.target, "label": str(row["label"]), "facts": [*facts, *scores],
            "caption": ", ".join([facts[0], *scores[:1]]), "file": f"visual/{stem}.webp",
            "error": f"visual/{stem}-error.webp", "far": shot.far}


def _page(
    results: Results, shown: list[dict[str, Any]], ends: list[dict[str, object]], missing: Sequence[str], out: Path
) -> str:
    script = script_of(VISUAL_SCRIPTS)
    line = (f"benchbox report {shlex.quote(results.name)} --format visual --option crop=BOX --option "
            "codecs='CODECS'")
    return str(template("visual.html").render(
        title=results.name, pictures=shown, missing=missing, far=FAR, far_quality=FAR_QUALITY, rate=RATE,
        data=as_json({"pictures": shown, "extremes": ends, "line": line}), script=Markup(script),  # safe: our own files
        script_hash=Markup(csp_hash(script)), has_page=(out / "index.html").is_file(), version=benchbox.__version__,
        colours=[], top=ERROR_TOP, side=SIDE,
    ))
