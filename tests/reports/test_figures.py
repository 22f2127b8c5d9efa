"""Figures for papers have the right widths and fonts, and draw the numbers of the tables."""

from __future__ import annotations

import contextlib
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchbox_reports.analysis import Analysis, analyse
from benchbox_reports.figures.bars import bars_figure
from benchbox_reports.figures.pareto import pareto_figure
from benchbox_reports.figures.savings import savings_figure
from benchbox_reports.figures.sheet import COLUMN, PAGE, styled
from benchbox_reports.look import looks
from benchbox_reports.pareto import drawn_speeds
from benchbox_reports.speeds import measure_speeds
from encoded_crops import Rows, make, results_of
from matplotlib.patches import Rectangle
from PIL import Image as PillowImage
from stored import stored_results

import benchbox
from benchbox import registry
from benchbox.report import Results

PLAN = {
    "name": "paper",
    "dataset": "samples",
    "metrics": ["psnr"],
    "codec": [{"id": "jpeg", "qualities": [20, 40, 60, 80, 90]}, {"id": "webp", "qualities": [20, 40, 60, 80, 90]}],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    workspace = tmp_path_factory.mktemp("figures") / "runs"
    benchbox.run(PLAN, workspace=workspace, reports=[])
    return stored_results("paper", workspace, registry.load())


@pytest.fixture(scope="module")
def analysis(results: Results) -> Analysis:
    return analyse(results)


def timed(results: Results) -> Results:
    """The results as if an undisturbed timing run had taken the times."""
    frame = results.frame.copy()
    frame["timing"] = pd.Categorical(["timed"] * len(frame))
    for column in ("encode_spread_s", "decode_spread_s"):
        frame[column] = 0.001
    frame["peak_bytes"] = 1e8
    return Results(results.name, frame, results.metrics, results.plan, results.environment, results.dataset_notes,
                   results.codec_settings)  # fmt: skip


def text_sizes(pdf: bytes) -> set[float]:
    """Every size, in points, that a PDF sets text in."""
    found: set[float] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found |= {float(size) for size in re.findall(rb"/F\S+ ([\d.]+) Tf", zlib.decompress(stream))}
    return found


def test_the_report_writes_both_widths(results: Results, tmp_path: Path) -> None:
    report = registry.load().report("figures")
    files = report.render(results, report.Options(), tmp_path)
    stems = {file.stem for file in files}
    assert stems == {"captions", *(f"{kind}-samples-psnr{suffix}" for kind in ("rd", "bd", "savings")
                                   for suffix in ("", "-column"))}  # fmt: skip
    captions = files[0].read_text(encoding="utf-8")
    assert captions.count("**") == 2 * 4
    assert "**pareto-samples-psnr**: Not drawn. There is no usable time." in captions
    assert ("with 95 % intervals" in captions) == (results.frame["sample"].nunique() >= 5)
    assert ("There is no interval below 5 pictures" in captions) == (results.frame["sample"].nunique() < 5)
    for stem in stems - {"captions"}:
        inches = COLUMN if stem.endswith("-column") else PAGE
        pdf = (tmp_path / f"figures/{stem}.pdf").read_bytes()
        box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", pdf)
        assert box
        assert float(box[1]) == pytest.approx(72 * inches, abs=0.01)
        assert b"/FontFile2" in pdf  # TrueType outlines: type 42
        assert b"/Type3" not in pdf
        assert text_sizes(pdf) == {8.0}
    sizes = set(re.findall(r"font-size: ([\d.]+)px", (tmp_path / "figures/savings-samples-psnr.svg").read_text()))
    assert sizes == {"8"}


def test_bars_are_the_bd_rates(analysis: Analysis) -> None:
    (section,) = analysis.sections
    with styled("x"):
        figure = bars_figure(section, looks(analysis.codecs), PAGE)
    assert figure is not None
    (bar,) = figure.axes[0].patches
    (row,) = section.comparisons
    assert isinstance(bar, Rectangle)
    assert bar.get_width() == pytest.approx(row.pictures.mean)
    assert row.pictures.mean is not None
    assert row.pictures.mean < -10


def test_savings_average_to_the_bd_rate(analysis: Analysis) -> None:
    (section,) = analysis.sections
    with styled("x"):
        figure = savings_figure(section, looks(analysis.codecs), COLUMN)
    assert figure is not None
    line = next(line for line in figure.axes[0].get_lines() if line.get_label() == "webp")
    logs = np.log10(1 + np.asarray(line.get_ydata(), float) / 100)
    (row,) = section.comparisons
    assert float(np.mean((logs[1:] + logs[:-1]) / 2)) == pytest.approx(row.rate.log_ratio, abs=1e-4)


def test_without_timing_no_speed_is_drawn(results: Results, analysis: Analysis) -> None:
    speeds = drawn_speeds(results, measure_speeds(results, analysis.labels))
    with styled("x"):
        assert pareto_figure(analysis.sections[0], looks(analysis.codecs), speeds["samples"], PAGE) is None
    assert "no usable time" in speeds["samples"].notes[0]


def test_speed_stands_against_bd_rate(results: Results) -> None:
    run = timed(results)
    analysis = analyse(run)
    speeds = drawn_speeds(analysis.results, measure_speeds(analysis.results, analysis.labels))
    (section,) = analysis.sections
    with styled("x"):
        figure = pareto_figure(section, looks(analysis.codecs), speeds["samples"], PAGE)
    assert figure is not None
    for axes, side in zip(figure.axes, ("encode", "decode"), strict=True):
        drawn = [np.asarray(line.get_xydata(), float) for line in axes.get_lines()]
        points = {(float(xy[0, 0]), float(xy[0, 1])) for xy in drawn if len(xy) == 1}
        fills = {line.get_label(): line.get_fillstyle() for line in axes.get_lines() if line.get_marker() != "None"}
        assert fills == {label: style.fill for label, style in looks(analysis.codecs).items()}
        (row,) = section.comparisons
        assert points == {(speeds["samples"].sides[side]["jpeg"][0], 0.0),
                          (speeds["samples"].sides[side]["webp"][0], row.pictures.mean)}


def test_nothing_to_compare_draws_nothing(results: Results) -> None:
    alone = Results("one", results.frame[results.frame["label"] == "jpeg"], results.metrics, results.plan, {})
    analysis = analyse(alone)
    with styled("x"):
        assert bars_figure(analysis.sections[0], looks(analysis.codecs), PAGE) is None
        assert savings_figure(analysis.sections[0], looks(analysis.codecs), PAGE) is None


def test_figures_in_three_formats(crops_page: Path) -> None:
    assert {file.name for file in (crops_page / "figures").iterdir()} >= {
        f"rd-crops-{metric}.{form}" for metric in ("psnr", "ssim") for form in ("svg", "pdf", "png")}
    pdf = (crops_page / "figures/rd-crops-psnr.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType outlines: type 42
    assert b"/Type3" not in pdf
    with PillowImage.open(crops_page / "figures/rd-crops-ssim.png") as picture:
        assert picture.size[0] == 2148  # 7.16 inches at 300 dots
    svg = (crops_page / "figures/rd-crops-ssim.svg").read_text()
    for text in ("SSIM (dB)", "bits per pixel", "jpeg progressive=yes", "webp"):
        assert text in svg


@pytest.mark.slow
def test_the_same_results_give_the_same_files(crop_rows: Rows, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make("page", results_of(crop_rows), tmp_path / name)
    files = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert len(files) > 12
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


@pytest.mark.slow
def test_many_codecs_with_long_and_foreign_names(crop_rows: Rows, tmp_path: Path) -> None:
    jpeg = [row for row in crop_rows if row["label"] == "jpeg"]
    names = [f"codec{k} " + "very_long_option=4:4:4 " * (k % 3) + "編碼器\x07" for k in range(20)]
    many = [{**row, "label": name, "bpp": row["bpp"] * (1 + 0.05 * k)} for k, name in enumerate(names) for row in jpeg]
    make("page", results_of(many), tmp_path)
    svg = (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert all(f"codec{k} " in svg for k in range(20))
    assert "\x07" not in svg
