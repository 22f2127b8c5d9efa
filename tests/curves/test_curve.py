"""Curves from frames: means over pictures, nulls with counts, decibels, pictures left out."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

from benchbox import curves
from benchbox.errors import StoreError
from benchbox.metric import Display, Metric, Scorer


class Described(Metric):
    """A metric whose values the frame already holds."""

    def open(self, device: str) -> Scorer:
        raise AssertionError("curves never score")


PSNR = Described("psnr", "PSNR", "1", "dB", "higher", Display("PSNR (dB)", 2))
MS_SSIM = Described("ms-ssim", "MS-SSIM", "1", "", "higher", Display("MS-SSIM (dB)", 2, "db"), 0.0, 1.0)


def row(sample, quality, bpp, psnr, label="jpeg", dataset="d", status="ok", reason="", **more):
    return {"dataset": dataset, "sample": sample, "codec": label.split()[0], "label": label, "quality": quality,
            "status": status, "reason": reason, "bpp": bpp, "psnr": psnr, "exact": False, "null_reasons": "{}", **more}


def frame(rows):
    """A frame with the dtypes of the store's."""
    table = pd.DataFrame(rows)
    for name in ("reason", "null_reasons"):
        table[name] = table[name].astype("string")
    for name in ("dataset", "sample", "label", "codec", "status"):
        table[name] = table[name].astype("category")
    table["exact"] = table["exact"].astype("boolean")
    return table.astype({"quality": float, "bpp": float, "psnr": float})


def test_means_over_pictures_in_order_of_bpp():
    # the second quality gives fewer bits, as a quantiser step would
    table = frame([row("a", 1.0, 2.0, 40.0), row("b", 1.0, 1.0, 38.0),
                   row("a", 2.0, 1.0, 30.0), row("b", 2.0, 0.5, 33.0)])
    (curve,) = curves.mean_curves(table, PSNR)
    assert (curve.dataset, curve.label, curve.codec, curve.sample) == ("d", "jpeg", "jpeg", None)
    assert curve.bpp.tolist() == [0.75, 1.5]
    assert curve.value.tolist() == [31.5, 39.0]
    assert curve.quality.tolist() == [2.0, 1.0]
    assert curve.n.tolist() == [2, 2]
    assert curve.n_missing.tolist() == [0, 0]


def test_decibels_are_taken_after_the_mean():
    table = frame([row("a", 1.0, 1.0, 30.0, ms_ssim=0.9), row("b", 1.0, 1.0, 30.0, ms_ssim=0.99)])
    (mean,) = curves.mean_curves(table, MS_SSIM)
    assert mean.raw[0] == pytest.approx(0.945)
    assert mean.value[0] == pytest.approx(-10 * np.log10(0.055))
    first, second = curves.image_curves(table, MS_SSIM)
    assert (first.value[0], second.value[0]) == (pytest.approx(10.0), pytest.approx(20.0))


def test_a_value_of_one_has_no_decibels():
    table = frame([row("a", 1.0, 1.0, 30.0, ms_ssim=1.0), row("a", 2.0, 2.0, 30.0, ms_ssim=0.5)])
    (curve,) = curves.mean_curves(table, MS_SSIM)
    assert np.isnan(curve.value).tolist() == [True, False]
    assert curve.raw.tolist() == [1.0, 0.5]
    assert curve.usable.tolist() == [False, True]


@pytest.mark.parametrize(("broken", "bpp_is_null"), [
    (row("b", 1.0, 1.0, np.nan), False),
    (row("b", 1.0, np.nan, np.nan, status="timeout", reason="took over 60 s"), True),
    (row("b", 1.0, 9.0, 99.0, status="failed", reason="a stale number beside a failure"), True),
    (row("b", 1.0, np.nan, np.nan, status=None), True),  # not measured yet
    (row("b", 2.0, 2.0, 31.0), True),  # quality 1 was never measured on b
])
def test_a_mean_with_a_missing_picture_is_null_with_the_count(broken, bpp_is_null):
    rows = [row("a", 1.0, 1.0, 30.0), row("a", 2.0, 2.0, 40.0), broken]
    if broken["quality"] == 1.0:
        rows.append(row("b", 2.0, 2.0, 44.0))
    (curve,) = curves.mean_curves(frame(rows), PSNR)
    at = curve.quality.tolist().index(1.0)
    assert np.isnan(curve.value[at])
    assert np.isnan(curve.bpp[at]) == bpp_is_null
    assert (curve.n[at], curve.n_missing[at]) == (1, 1)
    other = curve.quality.tolist().index(2.0)
    assert np.isfinite(curve.value[other])
    assert (curve.n[other], curve.n_missing[other]) == (2, 0)


def test_one_curve_for_each_data_set_label_and_picture():
    table = frame([row(s, q, q, 30 + q, label, d) for d in ("y", "x") for label in ("webp method=6", "jpeg")
                   for q in (1.0, 2.0) for s in ("2.png", "1.png")])
    means = curves.mean_curves(table, PSNR)
    assert [(c.dataset, c.label) for c in means] == [("y", "webp method=6"), ("y", "jpeg"), ("x", "webp method=6"),
                                                     ("x", "jpeg")]
    each = curves.image_curves(table, PSNR)
    assert [(c.dataset, c.label, c.sample) for c in each[:3]] == [
        ("y", "webp method=6", "2.png"), ("y", "webp method=6", "1.png"), ("y", "jpeg", "2.png")]
    assert all(c.bpp.tolist() == [1.0, 2.0] for c in each)


def test_two_rows_for_one_point_are_refused():
    with pytest.raises(StoreError, match=r"jpeg at quality 1 on picture a of d appears twice"):
        curves.mean_curves(frame([row("a", 1.0, 1.0, 30.0), row("a", 1.0, 1.0, 30.0)]), PSNR)


def test_a_metric_without_a_column_is_null_everywhere():
    (curve,) = curves.mean_curves(frame([row("a", 1.0, 1.0, 30.0)]), MS_SSIM)
    assert np.isnan(curve.value).all()
    assert curve.n_missing.tolist() == [1]


def test_an_empty_frame_has_no_curves():
    empty = frame([row("a", 1.0, 1.0, 30.0)]).iloc[:0]
    assert curves.mean_curves(empty, PSNR) == []
    assert curves.image_curves(empty, PSNR) == []
    assert curves.lossless(empty) == []
    assert curves.common_pictures(empty, PSNR)[1] == []


def test_pictures_that_a_codec_cannot_do_are_left_out_with_the_reason():
    good = [row(s, q, q, 30 + q, label) for label in ("jpeg", "webp") for q in (1.0, 2.0) for s in "abc"]
    gray = [row("gray", q, q, 30 + q, "jpeg") for q in (1.0, 2.0)]
    gray += [row("gray", q, np.nan, np.nan, "webp", status="unsupported", reason="gray pictures are not supported")
             for q in (1.0, 2.0)]
    tiny = [row("tiny", q, q, np.nan, label, null_reasons=json.dumps({"psnr": "pictures are identical"}))
            for label in ("jpeg", "webp") for q in (1.0, 2.0)]
    broken = [row(s, 1.0, np.nan, np.nan, "broken", status="crashed", reason="exit code -11") for s in "abc"]
    kept, out = curves.common_pictures(frame(good + gray + tiny + broken), PSNR)
    assert sorted(set(kept["sample"])) == ["a", "b", "c"]
    assert {(o.sample, o.label, o.reason) for o in out} == {
        ("gray", "webp", "unsupported: gray pictures are not supported"),
        ("tiny", "jpeg", "no PSNR: pictures are identical")}
    by_label = {c.label: c for c in curves.mean_curves(kept, PSNR)}
    assert np.isfinite(by_label["webp"].value).all()
    assert np.isnan(by_label["broken"].value).all()  # a codec that never worked empties only its own curve


def test_a_single_failed_point_leaves_its_picture_in():
    rows = [row(s, q, q, 30 + q) for q in (1.0, 2.0) for s in "ab"]
    rows[0] = row("a", 1.0, np.nan, np.nan, status="timeout", reason="took over 60 s")
    kept, out = curves.common_pictures(frame(rows), PSNR)
    assert out == []
    assert len(kept) == 4


def test_lossless_codecs_have_no_curve_but_a_mean():
    rows = [row("a", 1.0, 1.0, 30.0), row("b", 1.0, 1.0, 30.0),
            row("a", np.nan, 12.0, np.nan, "png", exact=True), row("b", np.nan, 10.0, np.nan, "png", exact=False),
            row("a", np.nan, np.nan, np.nan, "qoi", status="unsupported", reason="gray")]
    table = frame(rows)
    assert [c.label for c in curves.mean_curves(table, PSNR)] == ["jpeg"]
    png, qoi = curves.lossless(table)
    assert png == curves.Lossless("d", "png", "png", 11.0, 2, 1, 0)
    assert qoi == curves.Lossless("d", "qoi", "qoi", None, 0, 0, 2)


def test_real_pictures_give_the_means_of_their_files(photo):
    """JPEG files of three crops; the curve against sums over the files themselves."""
    crops = {"a": photo, "b": photo[:100, :157], "c": photo[50:183, 30:]}
    rows: list[dict[str, object]] = []
    bits: dict[int, list[float]] = {}
    errors: dict[int, list[float]] = {}
    for name, pixels in crops.items():
        for quality in (10, 30, 50, 90):
            file = io.BytesIO()
            PillowImage.fromarray(pixels).save(file, "JPEG", quality=quality)
            decoded = np.asarray(PillowImage.open(file), dtype=float)
            psnr = 10 * np.log10(255**2 / np.mean((decoded - pixels) ** 2))
            bpp = 8 * len(file.getvalue()) / (pixels.shape[0] * pixels.shape[1])
            bits.setdefault(quality, []).append(bpp)
            errors.setdefault(quality, []).append(psnr)
            rows.append(row(name, float(quality), bpp, psnr))
    (curve,) = curves.mean_curves(frame(rows), PSNR)
    assert curve.bpp == pytest.approx([np.mean(bits[q]) for q in (10, 30, 50, 90)])
    assert curve.value == pytest.approx([np.mean(errors[q]) for q in (10, 30, 50, 90)])
    assert (np.diff(curve.value) > 0).all()
