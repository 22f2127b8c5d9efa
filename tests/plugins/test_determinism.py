"""Two runs of one plan over every codec here that declares itself deterministic: the same bytes, pixels and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import benchbox
from benchbox import registry, testing
from benchbox.image import Image, write_png

METRICS = ("psnr", "psnr-y", "psnr-yuv", "ssim", "ms-ssim", "ciede2000", "vmaf-neg", "psnr-hvs", "lpips",
           "ssimulacra2")


@pytest.mark.slow
def test_two_runs_of_one_plan_are_identical(tmp_path: Path, photo: Image) -> None:
    found = registry.load()
    codecs: list[dict[str, Any]] = []
    for info in found.codecs.values():
        needs = any(field.is_required() for field in info.Options.model_fields.values())
        if info.unavailable() is None and info.capabilities.deterministic and not needs:
            axis = info.axis(info.parse_options({}))
            some = {} if axis is None else {"qualities": [axis.values[1], axis.values[-2]]}
            codecs.append({"id": info.id, **some})
    assert {"jpeg", "jpegxl", "png"} <= {codec["id"] for codec in codecs}
    photos = tmp_path / "photos"
    photos.mkdir()
    write_png(photos / "a.png", np.ascontiguousarray(photo[:170, :201]))
    write_png(photos / "b.png", testing.picture(163, 190, 3, 8))
    metrics = [name for name in METRICS if found.metric(name).unavailable() is None]
    plan = {"name": "twice", "dataset": [f"folder:{photos}"], "metrics": metrics, "codec": codecs}
    first, second = (benchbox.run(plan, workspace=tmp_path / place, workers=workers, reports=[])
                     for place, workers in (("one", 1), ("two", 2)))
    columns = ["codec", "sample", "quality", "identity", "status", "bytes", "stream_sha256", "pixels_sha256", "exact",
               *(metric.replace("-", "_") for metric in metrics)]
    one, two = (frame[columns].sort_values(columns[:3]).reset_index(drop=True) for frame in (first, second))
    print(f"{one['codec'].nunique()} codecs, {len(one)} points, {', '.join(metrics)}")
    assert set(one["status"]) == {"ok"}
    assert one["codec"].nunique() == len(codecs)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
