"""Literature given picture by picture becomes a curve with intervals like ours: from CSV and from codec-compare."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchbox_interchange.csv_curves import read_curves
from benchbox_reports.analysis import analyse
from encoded_crops import PSNR, SSIM, Rows, make, results_of

from benchbox import registry
from benchbox.errors import UsageError
from benchbox.report import Results
from benchbox.results.by_picture import with_literature
from benchbox.results.literature import find_references


@pytest.fixture(scope="module")
def run(crop_rows: Rows) -> Results:
    return results_of([row for row in crop_rows if row["label"] != "webp"])


@pytest.fixture(scope="module")
def webp(crop_rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame([row for row in crop_rows if row["label"] == "webp"])
    return frame.assign(codec="Their codec", sample=frame["sample"].str.removesuffix(".png"))


def read(text: str, folder: Path, run: Results) -> Results:
    """`run` with the curves in a CSV file of that text."""
    (folder / "theirs.csv").write_text(text, encoding="utf-8")
    curves = find_references([str(folder / "theirs.csv")], ["crops"], registry.load())
    return with_literature(results_of(run.frame, run.metrics, references=curves, codec_settings={}))


def test_a_csv_file_becomes_a_curve_with_an_interval(
    run: Results, webp: pd.DataFrame, crop_rows: Rows, tmp_path: Path
) -> None:
    text = "# Table 3 of a paper\n" + webp[["codec", "sample", "bpp", "quality", "psnr", "ssim"]].to_csv(index=False)
    both = read(text, tmp_path, run)
    assert both.references == []
    section = analyse(both).sections[0]
    (theirs,) = (row for row in section.comparisons if row.label == "Their codec, published")
    measured = analyse(results_of(crop_rows)).sections[0]
    (ours,) = (row for row in measured.comparisons if row.label == "webp")
    assert theirs.pictures.mean == pytest.approx(ours.pictures.mean)
    assert theirs.pictures.interval == pytest.approx(ours.pictures.interval)
    assert theirs.rate.value == pytest.approx(ours.rate.value)
    assert "Table 3 of a paper" in both.codec_settings["Their codec, published"]["identity"]


def test_every_number_of_the_report_is_in_the_frame(run: Results, webp: pd.DataFrame, tmp_path: Path) -> None:
    both = read(webp[["codec", "sample", "bpp", "quality", "psnr"]].to_csv(index=False), tmp_path, run)
    files = make("tables", both, tmp_path)
    points = pd.read_csv(next(file for file in files if file.name == "rd-points.csv"))
    own = points[(points["label"] == "Their codec, published") & (points["metric"] == "psnr")]
    rows = both.frame[both.frame["label"] == "Their codec, published"]
    np.testing.assert_allclose(own["mean"], rows.groupby("quality")["psnr"].mean())
    assert rows["ssim"].isna().all()
    assert set(rows["null_reasons"]) == {'{"ssim": "not published"}'}


def test_without_qualities_points_go_by_rising_rate(webp: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = webp.sample(frac=1, random_state=0)
    columns = ["codec", "sample", "bytes", "width", "height", "psnr"]
    (tmp_path / "c.csv").write_text(shuffled[columns].to_csv(index=False))
    (curve,) = read_curves(tmp_path / "c.csv", ["crops"])
    for sample, points in curve.pictures.items():
        own = webp[webp["sample"] == sample].sort_values("bpp")
        order = np.argsort(points.quality)
        np.testing.assert_allclose(np.array(points.bpp)[order], own["bpp"])
        assert sorted(points.quality) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("text", "said"), [
    ("", "is empty"),
    ("codec,bpp,psnr\na,1,30\n", "line 1: columns must be codec, sample, bpp"),
    ("codec,sample,bpp,psnr\na,crop0,x,30\n", "line 2: bpp must be a number, not x"),
    ("codec,sample,bpp,psnr\na,crop0,-1,30\n", "line 2: bpp must be a positive number"),
    ("# note\ncodec,sample,bpp,psnr\na,crop0,1\n", "line 3: has 3 values"),
    ("codec,sample,bpp,ms-ssim\na,crop0,1,14.2\n", "write MS-SSIM raw"),
    ("codec,sample,bpp\na,crop0,1\n", "has no metric"),
    ("codec,sample,bpp,psnr,dataset\na,crop0,1,30,kodak\n", "measured on kodak, the run on crops"),
    ("codec,sample,bpp,ssim\na,crop0,1,0.9\na,crop0,2,97\n", "theirs.csv: a: crop0: ssim is 97, not within -1 .. 1"),
    ("codec,sample,bpp,psnr\na,crop0,1,1e308\n", "psnr is 1e.308, not within"),
    ("codec,sample,bpp,psnr\na,crop0,1e308,30\n", "1e.308 bpp is not within 0 .. 1000"),
    ("codec,sample,bpp,psnr,quality\na,crop0,1,30,5\na,crop0,2,40,5\n", "crop0 is given twice at quality 5"),
    ("codec,sample,bpp,psnr\na,crop0,1,30\na,crop0.png,2,31\n", "crop0.png is given twice"),
    ("codec,sample,bpp,ms-ssim,ms_ssim\na,crop0,1,.9,.8\n", "line 1: ms_ssim and ms-ssim are one metric"),
    ("codec,sample,bpp,psnr\na,crop0,1_0,30\n", "line 2: bpp must be a number, not 1_0"),
    ("codec,sample,bytes,width,height,psnr\na,crop0,9,-4,-4,30\n", "bpp must be a positive number"),
    ("codec,sample,bpp,psnr\na,kodim01,1,30\n", "none of which is a picture of crops"),
])  # fmt: skip
def test_a_file_of_another_form_is_refused(run: Results, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text, tmp_path, run)


def test_a_batch_of_codec_compare_is_read_picture_by_picture(run: Results, crop_rows: Rows, tmp_path: Path) -> None:
    theirs = results_of([row for row in crop_rows if row["label"] == "webp"], [PSNR, SSIM])
    files = make_batch(theirs, tmp_path)
    curves = find_references([str(files[-1])], ["crops"], registry.load())
    (curve,) = curves
    assert curve.kind == "earlier run"  # the user's own: it is never called published
    both = with_literature(results_of(run.frame, run.metrics, references=curves, codec_settings={}))
    for section, measured in zip(analyse(both).sections, analyse(results_of(crop_rows)).sections, strict=True):
        rates = {row.label: row.pictures.mean for row in section.comparisons}
        ours = {row.label: row.pictures.mean for row in measured.comparisons}
        assert rates["webp, earlier run"] == pytest.approx(ours["webp"], abs=1e-6)
    assert not any("published" in label for label in both.frame["label"].unique())


def test_compressais_files_of_single_pictures_make_one_curve(
    run: Results, webp: pd.DataFrame, crop_rows: Rows, tmp_path: Path
) -> None:
    for k, row in enumerate(webp.to_dict("records")):
        results = {"psnr-rgb": row["psnr"], "bpp": row["bpp"], "encoding_time": 0.1}
        output = {"source": row["sample"], "name": "elic", "description": "Inference (ans)", "results": results}
        (tmp_path / f"{row['sample']}-{k}.json").write_text(json.dumps(output))
    curves = find_references([str(tmp_path)], ["crops"], registry.load())
    (curve,) = curves
    assert set(curve.pictures) == set(webp["sample"])
    both = with_literature(results_of(run.frame, run.metrics, references=curves, codec_settings={}))
    rows = {row.label: row.pictures for row in analyse(both).sections[0].comparisons}
    ours = {row.label: row.pictures for row in analyse(results_of(crop_rows)).sections[0].comparisons}
    assert rows["elic, published"].mean == pytest.approx(ours["webp"].mean)
    assert rows["elic, published"].interval == pytest.approx(ours["webp"].interval)


@pytest.mark.parametrize(("field", "said"), [
    ("bpp", "bpp must be a number, not true"), ("psnr", None),
])  # fmt: skip
def test_true_is_no_number_in_a_batch(
    field: str, said: str | None, run: Results, crop_rows: Rows, tmp_path: Path
) -> None:
    theirs = results_of([row for row in crop_rows if row["label"] == "webp"], [PSNR, SSIM])
    file = make_batch(theirs, tmp_path)[-1]
    batch = json.loads(file.read_text())
    names = [next(iter(one)) for one in batch["field_descriptions"]]
    for row in batch["field_values"]:
        row[names.index(field)] = True
    file.write_text(json.dumps(batch))
    if said is None:
        (curve,) = find_references([str(file)], ["crops"], registry.load())
        assert {tuple(points.metrics) for points in curve.pictures.values()} == {("ssim",)}
    else:
        with pytest.raises(UsageError, match=said):
            find_references([str(file)], ["crops"], registry.load())


def make_batch(results: Results, out: Path) -> list[Path]:
    report = registry.load().report("codec-compare")
    return report.render(results, report.Options(), out)
