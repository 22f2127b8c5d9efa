"""Export to CompressAI: each file has what CompressAI expects, and reading it gives the same curve again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from benchbox_interchange.compressai_curves import read_curve
from trading import QUALITIES, changed, make, strictly

from benchbox import curves
from benchbox.errors import UsageError
from benchbox.report import Results


@pytest.fixture
def results(traded: Results) -> Results:
    return traded


def test_a_curve_comes_back_as_it_went(results: Results, tmp_path: Path) -> None:
    files = make("compressai", results, tmp_path)
    assert sorted(file.name for file in files) == ["jpeg.json", "webp-method-2.json"]
    (dataset,) = results.frame["dataset"].unique()
    for file, label in zip(files, ("jpeg", "webp method=2"), strict=True):
        back = read_curve(file, {dataset})
        assert (back.dataset, back.caution) == (dataset, "")
        assert back.title == f"{label} ({file.name})"
        for metric in results.metrics:
            (curve,) = (c for c in curves.mean_curves(results.frame, metric) if c.label == label)
            assert back.bpp == tuple(curve.bpp)
            assert back.metrics[metric.id] == tuple(curve.raw)


def test_the_file_has_the_keys_of_compressai(results: Results, tmp_path: Path) -> None:
    document = strictly(make("compressai", results, tmp_path)[0])
    assert document["name"] == "jpeg"
    assert "means over 3 pictures of folder:pictures" in document["description"]
    assert document["meta"]["dataset"] == "folder:pictures"
    lists = document["results"]
    assert set(lists) == {"bpp", "psnr-rgb", "ms-ssim-rgb", "ssim", "encoding_time", "decoding_time", "quality"}
    assert lists["quality"] == QUALITIES
    assert all(len(values) == len(QUALITIES) for values in lists.values())
    rows = results.frame[(results.frame["label"] == "jpeg") & (results.frame["quality"] == 30)]
    assert lists["encoding_time"][1] == pytest.approx(rows["encode_s"].mean())
    assert lists["psnr-rgb"][1] == pytest.approx(rows["psnr"].mean())
    assert 0 < lists["ms-ssim-rgb"][1] < 1


def test_a_point_without_a_mean_is_left_out_and_counted(results: Results, tmp_path: Path) -> None:
    at = (results.frame["label"] == "jpeg") & (results.frame["quality"] == 60) & (results.frame["sample"] == "wide.png")
    broken = changed(results, psnr=lambda frame: frame["psnr"].mask(at))
    document = strictly(make("compressai", broken, tmp_path)[0])
    assert document["results"]["quality"] == [10, 30, 90]
    assert "1 operating points without a mean are left out" in document["description"]


def test_metrics_of_one_file_are_of_the_same_pictures(results: Results, tmp_path: Path) -> None:
    """A picture too small for MS-SSIM is in no mean, not only in none of MS-SSIM."""
    small = changed(results, ms_ssim=lambda frame: frame["ms_ssim"].mask(frame["sample"] == "wide.png"))
    document = strictly(make("compressai", small, tmp_path)[0])
    rows = results.frame[(results.frame["label"] == "jpeg") & (results.frame["sample"] != "wide.png")]
    means = rows.groupby("quality")[["bpp", "psnr", "ms_ssim"]].mean()
    for key, column in (("bpp", "bpp"), ("psnr-rgb", "psnr"), ("ms-ssim-rgb", "ms_ssim")):
        assert document["results"][key] == pytest.approx(means[column].tolist())
    assert "means over 2 of 3 pictures" in document["description"]


def test_folders_of_one_name_stay_apart(results: Results, tmp_path: Path) -> None:
    """Two data sets whose folders have the same name get two files each; reading refuses a name that fits both."""
    frame = results.frame.assign(dataset="folder:/a/photos")
    both = dataclasses.replace(results, frame=pd.concat([frame, frame.assign(dataset="folder:/b/photos")]))
    files = make("compressai", both, tmp_path)
    assert len(set(files)) == len(list(tmp_path.rglob("*.json"))) == 4
    assert read_curve(files[0], ["folder:/a/photos", "kodak"]).dataset == "folder:/a/photos"
    with pytest.raises(UsageError, match="measured on folder:photos"):
        read_curve(files[0], ["folder:/a/photos", "folder:/b/photos"])
