"""Reports of runs with little data: one picture, one codec, failures, nothing at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import figures
from encoded_crops import PSNR, SSIM, Parsed, Rows, failed, make, results_of

from benchbox.metric import Metric

LITTLE: dict[str, Callable[[Rows], Rows | pd.DataFrame]] = {
    "one picture": lambda rows: [r for r in rows if r["sample"] == "crop0.png"],
    "one quality": lambda rows: [r for r in rows if r["quality"] in (8, 5)],
    "one codec": lambda rows: [r for r in rows if r["label"] == "webp"],
    "one point": lambda rows: rows[:1],
    "only lossless": lambda rows: [r for r in rows if r["label"] == "png"],
    "nothing went through": lambda rows: [failed(r, "crashed", "exit code −11") for r in rows],
    "nothing measured yet": lambda rows: [failed(r, None, None) for r in rows],
    "a metric without a value": lambda rows: [
        {**r, "ssim": np.nan, "null_reasons": '{"ssim": "the picture is too small"}'} for r in rows],
    "a metric without a loss": lambda rows: [{**r, "ssim": 1.0} for r in rows],
    "one codec failed": lambda rows: [
        failed(r, "timeout", "took over 60 s") if r["label"] == "webp" else r for r in rows],
    "the anchor failed": lambda rows: [failed(r, "memory", "over 2 GB") if r["label"] == "jpeg" else r for r in rows],
    "one point failed": lambda rows: [failed(rows[0], "failed", "libjpeg said no"), *rows[1:]],
    "one picture unsupported": lambda rows: [
        failed(r, "unsupported", "gray") if r["label"] == "webp" and r["sample"] == "crop2.png" else r for r in rows],
    "no picture of every codec": lambda rows: [
        failed(r, "unsupported", "gray") if r["label"] in ("webp", "jpeg")
        and (r["label"] == "webp") == (r["sample"] < "crop3.png") else r for r in rows],
    "no rows": lambda rows: pd.DataFrame(rows).iloc[:0],
}


@pytest.mark.parametrize("case", LITTLE)
def test_reports_of_little_data(case: str, crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())  # the page's own drawing is enough: files are another test's
    run = results_of(LITTLE[case](crop_rows), (SSIM,) if "metric" in case else (PSNR,))
    make("page", run, tmp_path)
    text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "nan" not in re.findall(r"\w+", text)
    assert "inf" not in re.findall(r"\w+", text)
    expected = {
        "one picture": "There is no interval below 5 pictures", "one codec": "the only codec with a curve",
        "one quality": "4 are needed", "only lossless": "none of the codecs is lossy",
        "nothing went through": "no encoding went through", "nothing measured yet": "not measured",
        "a metric without a value": "SSIM has no value on any picture: the picture is too small",
        "one codec failed": "took over 60 s", "the anchor failed": "jpeg has 0 usable points, 4 are needed",
        "one point failed": "jpeg has no mean at quality 8 (1 of 6)",
        "one picture unsupported": "Left out: crop2.png, which webp does not have (unsupported: gray)",
        "no picture of every codec": "no picture has PSNR of every codec, e.g. webp has none of crop0.png "
        "(unsupported: gray); choose codecs that share pictures with --codecs",
        "no rows": "There is nothing to draw",
    }  # fmt: skip
    assert expected.get(case, "Rate-distortion curves") in text


def test_a_lossless_codec_alone_has_a_headline(
    crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    rows = [r for r in crop_rows if r["label"] == "png"]
    other = [{**r, "label": "other", "bpp": 2 * r["bpp"], "key": f"other {r['key']}"} for r in rows]
    for given, said in ((rows, "png needs"), ([*other, *rows], "png needs the fewest bits:")):
        make("page", results_of(given), tmp_path)
        text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
        assert "None of the codecs is lossy, so there are no curves and no BD-rates." in text
        assert f"{said} {sum(r['bpp'] for r in rows) / len(rows):.3f} bpp, mean over 6 pictures of crops." in text


def page_of(rows: Rows | pd.DataFrame, metric: Metric, folder: Path) -> str:
    """The text of a page."""
    return " ".join(Parsed(make("page", results_of(rows, [metric]), folder)[0].read_text(encoding="utf-8")).text)


def test_what_is_alone_is_said_so(crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    text = page_of([r for r in crop_rows if r["label"] == "webp" and r["sample"] == "crop0.png"], PSNR, tmp_path)
    assert "webp is the only codec with a curve: there is nothing to compare." in text
    assert " 1 codec setting 1 picture " in re.sub(r"\s+", " ", text)


def test_a_metric_without_values_lists_no_points(
    crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    assert "has no mean at quality" not in page_of(LITTLE["a metric without a value"](crop_rows), SSIM, tmp_path)


def test_refused_times_are_not_said_to_be_missing(
    crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    for timing, said, head in (("disturbed", "Times that were taken while other work ran are refused.",
                                "there is no usable time, as other work ran while the points were timed."),
                               ("indicative", "Add a table [timing] to the plan", "there is no usable time.")):
        text = page_of([{**row, "timing": timing} for row in crop_rows], PSNR, tmp_path)
        assert said in text
        assert f"Speed is not compared: {head}" in text
        assert ("Add a table [timing]" in text) is (timing == "indicative")
