"""A paper's page: two column figures and ``summary.tex`` in the two columns of a LaTeX document."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchbox_reports.analysis import analyse
from benchbox_reports.crops import write_crops
from benchbox_reports.summary import summarise, summary_tex
from encoded_crops import PSNR, SSIM, Described, Rows, make, results_of
from typeset import complaints, needs_latex

from benchbox.metric import Display
from benchbox.reference import Reference
from benchbox.report import Results

VTM = Reference("vtm", "VTM", "crops", "means", "a paper", (0.2, 0.5, 1.0, 2.0, 3.0),
                {"psnr": (28.0, 31.0, 34.0, 38.0, 41.0)})


@pytest.fixture(scope="module")
def run(crop_rows: Rows) -> Results:
    return results_of(crop_rows)


def bold(text: str) -> list[str]:
    return re.findall(r"^(.*?) &.*\\textbf\{", text, re.MULTILINE)


def test_a_row_a_codec_and_a_bd_rate_a_metric(run: Results) -> None:
    analysis = analyse(run)
    text = summary_tex(analysis)
    assert "\\label{tab:bd-crops}\\smallskip\n" in text
    assert "\\begin{table}\n" in text
    assert "on crops: mean over 6 pictures; negative" in text
    (summary,) = summarise(analysis)
    assert summary.by_pictures
    assert [title for _, title, _ in summary.metrics] == ["PSNR", "SSIM"]
    for section, column in zip(analysis.sections, range(2), strict=True):
        means = {row.label: row.pictures.mean for row in section.comparisons}
        assert {label: values[column] for label, _, values in summary.rows} == means
        best = min(means.values(), key=lambda value: value or 0.0)
        whole, _, part = f"{best:+.2f}".replace("-", "$-$").partition(".")
        assert f"\\textbf{{{whole}}}\\rlap{{\\textbf{{.{part}}}}}\\phantom{{.{part}}} " in text


def test_a_published_curve_stands_apart_by_mean_curves(run: Results) -> None:
    analysis = analyse(replace(run, references=[VTM]))
    (summary,) = summarise(analysis)
    section = analysis.sections[0]
    assert {label: values[0] for label, _, values in summary.rows} == {
        row.label: row.rate.value if row.published else row.pictures.mean for row in section.comparisons}
    assert [published for _, published, _ in summary.rows] == [False, False, True]
    measured, _, below = summary_tex(analysis).rpartition("\\midrule\n")
    assert below.startswith("VTM$^\\dagger$ & ")
    assert "\\textbf" not in below
    assert "by mean curves" in measured


def test_against_a_published_anchor_all_are_by_mean_curves(run: Results) -> None:
    analysis = analyse(replace(run, references=[VTM]), "vtm")
    (summary,) = summarise(analysis)
    assert not summary.by_pictures
    assert {label: values[0] for label, _, values in summary.rows} == {
        row.label: row.rate.value for row in analysis.sections[0].comparisons}
    text = summary_tex(analysis)
    assert text.count("\\midrule") == 1
    assert "on crops: mean curves, 6 pictures; negative" in text


def test_many_metrics_continue_in_the_next_float(run: Results) -> None:
    more = [Described(f"m{k}", f"Metric number {k}", "1", "dB", "higher", Display("m", 2)) for k in range(7)]
    frame = run.frame.assign(**{f"m{k}": run.frame["psnr"] + k for k in range(7)})
    text = summary_tex(analyse(replace(run, frame=frame, metrics=[PSNR, SSIM, *more])))
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert labels[:2] == ["tab:bd-crops", "tab:bd-crops-2"]
    assert len(set(labels)) == len(labels)


@pytest.mark.slow
@needs_latex
def test_a_papers_page_is_typeset_without_complaint(run: Results, tmp_path: Path) -> None:
    long = run.frame["label"].astype(str).replace("webp", "webp with_a_rather_long_name method=6 & 4:2:0 sharp=yes")
    paper = replace(run, frame=run.frame.assign(label=long.astype("category")), references=[VTM])
    make("tables", paper, tmp_path)
    make("figures", paper, tmp_path)
    part = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    crops = [("original", "a picture", part), *((name, "0.482 bpp, PSNR 29.34 dB", part) for name in long.unique())]
    write_crops(tmp_path / "figures" / "crops-1", crops, (0, 0, 128, 96))
    figures = tmp_path / "figures.tex"
    figures.write_text("\n".join(
        f"\\begin{{figure}}\\includegraphics{{figures/{kind}-crops-psnr-column}}\\caption{{{kind}}}\\end{{figure}}"
        for kind in ("rd", "bd", "savings")) + "\\begin{figure*}\\includegraphics{figures/crops-1}\\end{figure*}",
        encoding="utf-8")
    said = complaints([figures, tmp_path / "tables" / "summary.tex"], tmp_path, "ieee")
    assert said == []
