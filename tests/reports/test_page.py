"""The page as HTML is self-contained, prints the core's numbers, and escapes every string that comes from a user."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import figures
from benchbox_reports.columns import precision
from benchbox_reports.wording import number
from encoded_crops import IMG, PSNR, SCRIPT, SSIM, Parsed, Rows, failed, make, results_of

from benchbox import curves
from benchbox.curves import PictureTable, bd_metric, bd_rate
from benchbox.reference import Reference


def test_the_page_stands_alone(crops_page: Path) -> None:
    parsed = Parsed((crops_page / "index.html").read_text(encoding="utf-8"))
    assert parsed.tags.count("script") == 2  # the data and what draws it
    assert len(parsed.ids) == len(set(parsed.ids))
    for link in parsed.links:
        assert link.startswith(("#", "data:,")) or (crops_page / link).is_file(), link
        if link.startswith("#"):
            assert link[1:] in parsed.ids
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", (crops_page / "index.html").read_text())


def test_inline_figures_take_the_colours_of_the_page(crops_page: Path) -> None:
    text = (crops_page / "index.html").read_text()
    figures = re.findall(r'<svg viewBox="[\d. ]+" role="img".*?</svg>', text, re.DOTALL)
    assert len(figures) == 2
    for figure in figures:
        assert set(re.findall(r"#[0-9a-f]{6}\b", figure)) == set()
        assert {"var(--ink)", "var(--rule)", "var(--c0)", "var(--c1)"} <= set(re.findall(r"var\(--\w+\)", figure))


def test_the_numbers_are_those_of_curves(crop_rows: Rows, crops_page: Path) -> None:
    """Every cell of bd.csv against the core's functions, and each printed cell on the page against bd.csv."""
    frame = results_of(crop_rows).frame
    table = pd.read_csv(crops_page / "tables/bd.csv")
    html = Parsed((crops_page / "index.html").read_text(encoding="utf-8"))
    assert len(table) == 4
    for metric in (PSNR, SSIM):
        by_label = {c.label: c for c in curves.mean_curves(frame, metric)}
        pictures = PictureTable(curves.image_curves(frame, metric))
        own = table[table["metric"] == metric.id]
        digits = precision((own["pictures_high_95"] - own["pictures_low_95"]) / 2, 1, 2)
        for row in own.to_dict("records"):
            rate = bd_rate(by_label["jpeg"], by_label[row["label"]])
            over = pictures.summary("jpeg", row["label"])
            assert row["bd_rate_percent"] == pytest.approx(rate.value)
            assert row["bd_metric"] == pytest.approx(bd_metric(by_label["jpeg"], by_label[row["label"]]).value)
            assert [row["range_low"], row["range_high"]] == pytest.approx([rate.low, rate.high])
            assert row["overlap"] == pytest.approx(rate.overlap)
            assert [row["pictures_mean_percent"], row["pictures"]] == pytest.approx([over.mean, 6])
            assert over.interval is not None
            assert [row["pictures_low_95"], row["pictures_high_95"]] == pytest.approx(list(over.interval))
            for value in (rate.value, over.median):
                assert value is not None
                assert number(value, digits, signed=True) in html.text
    points = pd.read_csv(crops_page / "tables/rd-points.csv")
    jpeg = points[(points["metric"] == "ssim") & (points["label"] == "jpeg")]
    mine = frame[frame["label"] == "jpeg"].groupby("quality")
    assert jpeg["bpp"].tolist() == pytest.approx(mine["bpp"].mean().tolist())
    assert jpeg["mean"].tolist() == pytest.approx(mine["ssim"].mean().tolist())
    assert jpeg["drawn"].tolist() == pytest.approx((-10 * np.log10(1 - mine["ssim"].mean())).tolist())


def test_an_earlier_run_is_nowhere_called_published(
    crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own former run, given as means: on the page, in figures, captions and tables."""
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    mine = Reference("mine", "webp of June", "crops", "means over 6 crops", "benchbox", (0.2, 0.5, 1.0, 2.0, 3.0),
                     {"psnr": (28.0, 31.0, 34.0, 38.0, 41.0)}, kind="earlier run")  # fmt: skip
    run = results_of(crop_rows, [PSNR], references=[mine])
    files = [file for kind in ("page", "figures", "tables") for file in make(kind, run, tmp_path)]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files if file.suffix not in (".pdf", ".png")}
    page = " ".join(Parsed(texts.pop("index.html")).text)
    assert "Earlier runs, not measured here" in page
    assert "1 earlier run, not measured here" in page
    assert "Earlier runs: mean curves" in texts["bd-crops-psnr.svg"]
    assert [name for name, text in {**texts, "page": page}.items() if "published" in text.lower()] == []


def test_webp_beats_jpeg_in_words(crops_page: Path) -> None:
    text = " ".join(Parsed((crops_page / "index.html").read_text(encoding="utf-8")).text)
    assert re.search(r"webp needs \d+\.\d\d % fewer bits than jpeg at equal PSNR \(95 % interval",
                     text.replace("\xa0", " "))
    assert "on all 6" in text  # PNG, every pixel
    assert "Quality runs do not measure speed" in text


def test_text_of_users_stays_text(crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    label = f"{SCRIPT} $x^2$"
    hostile = [{**row, "label": label, "codec": SCRIPT, "identity": SCRIPT} if row["label"] == "webp" else row
               for row in crop_rows]
    hostile.append(failed({**hostile[0], "sample": IMG}, "failed", f"../../{IMG}\n{SCRIPT}"))
    run = results_of(hostile, name=SCRIPT, plan=f"name = '{SCRIPT}'", environment={SCRIPT: {IMG: SCRIPT}},
                  dataset_notes={"crops": [SCRIPT]},
                  codec_settings={label: {"title": SCRIPT, "options": {"a": IMG}}})
    make("page", run, tmp_path)
    parsed = Parsed((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert parsed.tags.count("script") == 2
    assert "img" not in parsed.tags
    assert parsed.handlers == []
    text = "".join(parsed.text)
    assert text.count(SCRIPT) > 10
    assert IMG in text
    svg = (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert "<script" not in svg
    assert "$x^2$" in svg  # a dollar is no formula
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "figures", "tables"}


def test_published_curves_lie_under_ours(crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    reference = Reference("old", "Old <b> codec", "crops", "means over 6 crops", "J. Doe 1999", (0.5, 1.0, 2.0),
                          {"psnr": (25.0, None, 33.0)}, "rounded to 1 dB")
    make("page", results_of(crop_rows, references=(reference,)), tmp_path)
    text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "Old <b> codec, published, not measured here, with a caution" in text
    assert "means over 6 crops. Source: J. Doe 1999. Caution: rounded to 1 dB" in text
    assert "Old &lt;b&gt; codec" in (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert "Old" not in (tmp_path / "figures/rd-crops-ssim.svg").read_text()


def test_listing_reports_is_cheap() -> None:
    code = ("import sys, benchbox_reports; benchbox_reports.benchbox_reports(); "
            "print([m for m in ('matplotlib', 'pandas', 'scipy', 'jinja2') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_interval_is_promised_where_there_is_none(
    crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    few = [row for row in crop_rows if row["sample"] in {f"crop{k}.png" for k in range(4)}]
    make("page", results_of(few), tmp_path)
    text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "95 % interval" not in text.replace("show 95 % intervals", "")
    assert "95 % interval" not in (tmp_path / "tables/bd.md").read_text(encoding="utf-8")


def test_a_single_file_holds_everything(crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    make("page", results_of(crop_rows), tmp_path, single_file=True)
    parsed = Parsed((tmp_path / "index.html").read_text(encoding="utf-8"))
    inside = [link for link in parsed.links if link.startswith("data:") and link != "data:,"]
    assert len(inside) == len(list((tmp_path / "tables").iterdir())) + len(list((tmp_path / "figures").iterdir()))
    assert all(link.startswith(("#", "data:")) for link in parsed.links)
    table = next(link for link in inside if link.startswith("data:text/csv"))
    assert b64decode(table.partition(",")[2]).startswith(b"dataset,metric,")
