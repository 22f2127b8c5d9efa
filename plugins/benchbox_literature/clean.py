"""Turns collected result files into `curves.json`: ``python -m benchbox_literature.clean kodak.json other.json``.

Run it again when the collection grows. Each input is a JSON list of curves with `codec`, `source`, `dataset`,
`metric_optimisation`, `color_space_note`, `bpp`, `psnr_rgb`, `ms_ssim`, `provenance_kind` and optionally `caution`,
`aggregation` and `n_images`. Points are sorted by rate; no value is changed, added or smoothed, except where a source
names the wrong metric (`MISLABELLED`). Curves whose name says that they are "not a codec" (bounds on the
rate-distortion function) are left out. A curve far off its data set's others is refused (see `outliers`).
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchbox.errors import DatasetError
from benchbox_literature.outliers import refuse_outliers
from benchbox_literature.stored import reference

DATASETS = {
    "kodak": "kodak",
    "clic2020-professional-test": "clic2020-professional-test",
    "clic2020-professional-valid (41 images)": "clic2020-professional-valid",
    "clic2020-mobile-test": "clic2020-mobile-test",
    "clic2020-mobile-valid": "clic2020-mobile-valid",
    "tecnick-rgb-1200": "tecnick",
}
"""Name in the collection -> id of our data set. Subsets and unspecified sets keep their names, which no run has, so
their curves are never drawn."""

FAMILIAR = {
    "bpg_444_x265_ycbcr": "bpg444-compressai", "hm": "hm", "vtm": "vtm", "av1": "av1", "jpeg": "jpeg-compressai",
    "jpeg2000": "jpeg2000-compressai", "webp": "webp-compressai", "webp/other": "webp-toderici",
}  # fmt: skip
"""File of a collection -> id of its curve, where the collection's own name would not say which codec or tool it is."""

METRICS = {"psnr_rgb": "psnr", "ms_ssim": "ms-ssim"}
"""Key of a collected curve -> metric id."""
MISLABELLED = {"github:Googolxx/STF@bbcfe3a48f:results/stf_ms-ssim_CLIC.json": "MS-SSIM in decibels, as PSNR"}
"""Source -> what it gives, under which wrong name: its "psnr" is -10 log10(1 - MS-SSIM)."""

BOUNDS = {"psnr": (0.0, 100.0), "ms-ssim": (0.0, 1.0)}


def clean(collected: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The collected curves that a codec made, as entries of `curves.json`: in the order given, ids unique within a data
    set.

    Raises:
        DatasetError: a curve has a rate that is not positive, a metric that is incomplete or out of range, or lies far
            off the others.
    """
    curves = [_curve(_corrected(entry)) for entry in collected if "not a codec" not in entry["codec"]]
    taken: dict[tuple[str, str], int] = {}
    for curve in curves:
        place = (curve["dataset"], curve["id"])
        taken[place] = taken.get(place, 0) + 1
        if taken[place] > 1:
            curve["id"] += f"-{taken[place]}"
    refuse_outliers([reference(curve) for curve in curves])
    return curves


def _corrected(entry: dict[str, Any]) -> dict[str, Any]:
    """`entry` with its metric under the right name and the caution that says so."""
    wrong = MISLABELLED.get(entry["source"])
    if wrong is None:
        return entry
    raw = [round(1 - 10 ** (-value / 10), 6) for value in entry["psnr_rgb"]]
    caution = f"the source states {wrong}; given here as MS-SSIM"
    cautions = [entry.get("caution"), caution]
    return entry | {"psnr_rgb": None, "ms_ssim": raw, "caution": "; ".join(filter(None, cautions))}


def _curve(entry: dict[str, Any]) -> dict[str, Any]:
    name, _, file = entry["codec"].partition(" [")
    file = file.rstrip("]")
    _check(entry["codec"], entry["bpp"], {METRICS[key]: entry[key] for key in METRICS if entry.get(key)})
    order = sorted(range(len(entry["bpp"])), key=lambda i: entry["bpp"][i])
    metrics = {METRICS[key]: [entry[key][i] for i in order] for key in METRICS if entry.get(key)}
    tuned = entry["metric_optimisation"]
    return {
        "id": _id(name, file, tuned, entry["source"]),
        "title": _title(name, file, tuned),
        "dataset": DATASETS.get(entry["dataset"], entry["dataset"]),
        "convention": _convention(entry),
        "source": entry["source"],
        "caution": entry.get("caution") or "",
        "bpp": [entry["bpp"][i] for i in order],
        "metrics": metrics,
    }


def _id(name: str, file: str, tuned: str, source: str) -> str:
    """An id to type: the codec's name, then its variant, ``-ms-ssim`` if trained for that, ``-paper``, ``-cpu``."""
    official = name.startswith("official ")
    stem = name.removeprefix("official ")
    if "tensorflow/compression" in source or (file in FAMILIAR and "CompressAI" in source):
        stem = FAMILIAR.get(file, file) if "CompressAI" in source else FAMILIAR.get(f"{file}/other", file)
    slug = re.sub(r"[^a-z0-9.]+", "-", stem.lower().replace("+", "plus")).strip("-")
    slug = re.sub(r"-8bit$|(?<!opt)-mse\b", "", slug.removesuffix("-8bit")) + ("-8bit" if "8bit" in source else "")
    if tuned == "ms-ssim" and not slug.endswith(("ms-ssim", "msssim")):
        slug += "-ms-ssim"
    device = re.search(r"_(cpu|cuda)$", file)
    return slug + ("-paper" if official else "") + (f"-{device[1]}" if device and device[1] == "cpu" else "")


def _title(name: str, file: str, tuned: str) -> str:
    title = name.removeprefix("official ") + (" (paper)" if name.startswith("official ") else "")
    if tuned == "ms-ssim" and "MS-SSIM" not in title:
        title += ", trained for MS-SSIM"
    return title + (" (CPU)" if file.endswith("_cpu") else "")


def _convention(entry: dict[str, Any]) -> str:
    parts = [entry["color_space_note"], entry.get("aggregation") or "means over images at each operating point",
             f"provenance: {entry['provenance_kind']}"]  # fmt: skip
    if entry.get("n_images"):
        parts.append(f"{entry['n_images']} images")
    return "; ".join(part for part in parts if part)


def _check(name: str, bpp: Sequence[float], metrics: dict[str, list[float]]) -> None:
    if not bpp or any(not math.isfinite(b) or b <= 0 for b in bpp):
        raise DatasetError(f"published curve {name}: a rate is not a positive number; correct the collection")
    for metric, values in metrics.items():
        low, high = BOUNDS[metric]
        if len(values) != len(bpp) or any(not low <= v <= high for v in values):
            raise DatasetError(f"published curve {name}: {metric} is incomplete or out of range; "
                               "correct the collection")


def main() -> None:
    """Read the files named on the command line and write `curves.json` next to this module."""
    collected = [entry for path in sys.argv[1:] for entry in json.loads(Path(path).read_text(encoding="utf-8"))]
    curves = clean(collected)
    lines = ",\n".join(json.dumps(curve, ensure_ascii=False, separators=(",", ":")) for curve in curves)
    Path(__file__).with_name("curves.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(curves)} curves of {len(collected)} collected")


if __name__ == "__main__":
    main()
