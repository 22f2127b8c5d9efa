"""The data for the page's script: the numbers of the tables, and thumbnails of the data set."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hostile_report import SCRIPT, embedded
from PIL import Image as PillowImage

from benchbox.curves import percent
from benchbox.report import Results


def test_the_embedded_numbers_are_those_of_the_tables(report: Path) -> None:
    data = embedded(report / "index.html")
    (section,), (dataset,) = data["sections"], data["datasets"]
    points = pd.read_csv(report / "tables/rd-points.csv")
    for curve in section["curves"]:
        own = points[points["label"] == curve["label"]]
        assert curve["bpp"] == pytest.approx(own["bpp"].tolist(), abs=1e-6)
        assert curve["raw"] == pytest.approx(own["mean"].tolist(), abs=1e-3)
        assert curve["bytes"] == pytest.approx(own["bytes"].tolist(), abs=0.5)
    ratios = section["ratios"]
    assert ratios["labels"] == ["jpeg", SCRIPT]
    pictures = pd.read_csv(report / "tables/bd-pictures.csv")
    against = pictures[pictures["anchor"] == "jpeg"].set_index("picture")[SCRIPT]
    for place, log in zip(ratios["pictures"], ratios["log"][0], strict=True):
        assert percent(log / data["ratio"]) == pytest.approx(against[dataset["pictures"][place]], abs=2e-3)
    (matrix,) = pd.read_csv(report / "tables/bd-matrix.csv").query("anchor == 'jpeg'").to_dict("records")
    for name, column in (("mean", "bd_rate_percent"), ("low", "low_95"), ("high", "high_95")):
        assert percent(ratios[name][0] / data["mean_ratio"]) == pytest.approx(matrix[column], abs=1e-7)
    bd = pd.read_csv(report / "tables/bd-all.csv")
    for anchor, rows in section["bd"].items():
        ((cells, _),) = rows
        (row,) = bd[bd["anchor"] == anchor].to_dict("records")
        shown = cells[1].replace("−", "-")
        decimals = len(shown.partition(".")[2])  # as many as the interval allows
        assert float(shown) == pytest.approx(row["bd_rate_percent"], abs=0.501 * 10.0**-decimals)


def test_small_pictures_are_those_of_the_data_set(results: Results, report: Path) -> None:
    (dataset,) = embedded(report / "index.html")["datasets"]
    keys = results.frame.drop_duplicates("sample").set_index("sample")["key"]
    assert results.original is not None
    for name, uri in zip(dataset["pictures"], dataset["small"], strict=True):
        small = np.asarray(PillowImage.open(BytesIO(b64decode(uri.removeprefix("data:image/webp;base64,")))))
        original = results.original(keys[name])
        assert small.shape == original.shape  # smaller than a thumbnail: as large as it is
        assert 10 * np.log10(255**2 / np.mean((small.astype(float) - original) ** 2)) > 25
