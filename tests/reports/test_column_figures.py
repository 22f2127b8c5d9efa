"""Column-wide figures: at most eight curves, named at their ends; one measure an axis; insets that cover nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import figures
from benchbox_reports.analysis import Analysis, Section, analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.figures.bars import BAR, bars_figure
from benchbox_reports.figures.ends import spread
from benchbox_reports.figures.few import MOST, fewer
from benchbox_reports.figures.inset import enlarge
from benchbox_reports.figures.rd import limit, rd_figure
from benchbox_reports.figures.sheet import COLUMN, PAGE, blank, settle, styled, wrapped
from encoded_crops import PSNR, Rows, make, results_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from benchbox.appearance import Appearance
from benchbox.curves import rate_decimals
from benchbox.reference import Reference
from benchbox.report import Results

PUBLISHED = [
    Reference(f"ref{k}", f"Reference {k}", "crops", "means", "a paper", (0.2, 0.5, 1.0, 2.0, 3.0),
              {"psnr": tuple(float(v + k) for v in (28, 31, 34, 38, 41))}) for k in range(4)]


@pytest.fixture(scope="module")
def many(crop_rows: Rows) -> Results:
    """Nine codecs, each a little worse than the one before, and four published curves."""
    jpeg = [row for row in crop_rows if row["label"] == "jpeg"]
    rows = [{**row, "label": label, "codec": label.partition(" ")[0], "bpp": row["bpp"] * (1 + 0.04 * k)}
            for k, label in enumerate(["jpeg", "avif", "avif 4:4:4", "heic", "webp", "jpegxl", "jpegxl effort=3",
                                       "ours", "vvc"]) for row in jpeg]
    return results_of(rows, [PSNR], references=PUBLISHED)


@pytest.fixture(scope="module")
def analysis(many: Results) -> Analysis:
    return analyse(many)


def names_of(section: Section) -> list[str]:
    return [c.label for c in (*section.drawable, *(p.curve for p in section.published))]


def families(analysis: Analysis) -> dict[str, str]:
    return {label: look.family for label, look in chosen_looks(analysis).items() if look.family}


def test_at_most_eight_curves_the_best_of_each_family(analysis: Analysis) -> None:
    few, left_out = fewer(analysis.sections[0], families(analysis), ["vvc"])
    kept = names_of(few)
    assert len(kept) == MOST
    assert set(kept) | set(left_out) == set(names_of(analysis.sections[0]))
    assert {"jpeg", "vvc", "avif", "heic", "webp"} <= set(kept)
    assert {"avif 4:4:4", "jpegxl effort=3"} <= set(left_out)
    assert sum(name.endswith("published") for name in kept) == 2


@pytest.mark.slow  # draws every figure of 28 codecs in three formats, as the next one does
def test_the_captions_say_which_are_left_out(many: Results, tmp_path: Path) -> None:
    captions = make("figures", many, tmp_path)[0].read_text(encoding="utf-8")
    assert "leaves out" in captions
    assert "jpegxl effort=3" in captions.partition("leaves out")[2].partition("option")[0]
    svg = (tmp_path / "figures/rd-crops-psnr-column.svg").read_text(encoding="utf-8")
    assert "jpegxl effort=3" not in svg
    assert "jpegxl effort=3" in (tmp_path / "figures/rd-crops-psnr.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_unless_the_author_names_the_codecs(many: Results, tmp_path: Path) -> None:
    names = tuple(many.frame["label"].unique())
    make("figures", replace(many, references=[], appearance=Appearance(codecs=names)), tmp_path)
    svg = (tmp_path / "figures/rd-crops-psnr-column.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in svg for name in names)


def test_curves_are_named_at_their_ends(analysis: Analysis) -> None:
    few, _ = fewer(analysis.sections[0], families(analysis))
    with styled("x"):
        figure = rd_figure(few, chosen_looks(analysis), COLUMN)
        (axes,) = figure.axes
        assert not figure.legends
        texts = {text.get_text().replace("\n", " "): text for text in axes.texts}
        assert set(texts) >= set(names_of(few))
        boxes = [text.get_window_extent() for text in texts.values()]
    for box in boxes:
        assert box.x1 <= figure.bbox.x1 + 0.5
        assert box.x0 >= axes.bbox.x1
    ordered = sorted(boxes, key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(ordered))


@pytest.mark.parametrize(("wanted", "heights"), [([5, 5, 5], [4, 4, 4]), ([1, 50, 99], [10, 10, 10]), ([3], [6]),
                                                 ([0, 0, 100, 100], [20, 10, 20, 30])])  # fmt: skip
def test_spread_boxes_do_not_overlap(wanted: list[float], heights: list[float]) -> None:
    middles = spread(wanted, heights, 0, 100)
    edges = [(m - h / 2, m + h / 2) for m, h in zip(middles, heights, strict=True)]
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(edges))
    assert edges[0][0] >= -1e-9
    assert edges[-1][1] <= 100 + 1e-9


@pytest.mark.parametrize(("name", "lines"), [
    ("jpeg progressive=yes", ["jpeg", "progressive=", "yes"]), ("resnet tune=ms-ssim", ["resnet", "tune=ms-ssim"]),
    ("bmshj2018-hyperprior, published", ["bmshj2018-", "hyperprior,", "published"]), ("", [" "]),
    ("x" * 15, ["x" * 13, "xx"]), ("two words here", ["two words", "here"])])  # fmt: skip
def test_a_name_is_broken_between_words_and_options_first(name: str, lines: list[str]) -> None:
    assert wrapped(name, 13).split("\n") == lines


@given(st.text(st.sampled_from("ab-=_ :"), max_size=40), st.integers(1, 12))
def test_a_broken_name_keeps_its_letters(name: str, width: int) -> None:
    lines = wrapped(name, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(name.split())
    assert all(len(line) <= width for line in lines)


def bars_of(axes: Any) -> dict[str, float]:
    """Name -> length of each bar, from above."""
    names = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    return dict(zip(names, (bar.get_width() for bar in bars), strict=True))


def test_bars_of_each_axes_rank_one_measure(analysis: Analysis) -> None:
    (section,) = analysis.sections
    with styled("x"):
        figure = bars_figure(section, chosen_looks(analysis), COLUMN, "ours")
    assert figure is not None
    measured, published = figure.axes
    means = {row.label: row.pictures.mean for row in section.comparisons if not row.published}
    rates = {row.label: row.rate.value for row in section.comparisons}
    for axes, known in ((measured, means), (published, {p.curve.label: rates[p.curve.label]
                                                        for p in section.published})):
        drawn = bars_of(axes)
        assert drawn == pytest.approx(known)
        assert list(drawn.values()) == sorted(drawn.values())
        values = [text.get_text() for text in axes.texts]
        digits = rate_decimals(row.pictures.interval for row in section.comparisons)
        assert values == [f"{value:+.{digits}f}".replace("-", "−") for value in drawn.values()]
    (diamonds,) = [line for line in measured.get_lines() if line.get_marker() == "D"]
    assert np.asarray(diamonds.get_xdata()) == pytest.approx([rates[name] for name in bars_of(measured)])
    assert "mean curves" in published.get_title(loc="left").replace("\n", " ")
    assert {to_hex(bar.get_facecolor()) for name, bar in zip(bars_of(measured), measured.patches, strict=True)
            if name != "ours"} == {BAR}
    low, high = measured.get_xlim()
    assert low <= min(*bars_of(measured).values(), *bars_of(published).values())
    assert measured.get_xlim() == published.get_xlim()
    for axes in figure.axes:
        title = axes._left_title.get_window_extent()  # type: ignore[attr-defined]
        assert title.x1 <= figure.bbox.x1
        assert high >= max(bars_of(axes).values())


def test_against_a_published_anchor_all_bars_are_by_mean_curves(many: Results) -> None:
    analysis = analyse(many, "ref0")
    (section,) = analysis.sections
    with styled("x"):
        figure = bars_figure(section, chosen_looks(analysis), PAGE)
    assert figure is not None
    (axes,) = figure.axes
    assert bars_of(axes) == pytest.approx({row.label: row.rate.value for row in section.comparisons})
    assert "mean curves" in axes.get_xlabel()


def test_what_leaves_the_axes_is_said(many: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    costly = many.frame[many.frame["label"] == "jpeg"].assign(label="costly", bpp=lambda rows: rows["bpp"] * 3)
    far = replace(PUBLISHED[0], id="far", title="Far", bpp=(0.2, 0.5, 1.0, 2.0, 30.0))
    run = replace(many, frame=pd.concat([many.frame.astype({"label": str}), costly]), references=[far])
    captions = make("figures", run, tmp_path)[0].read_text(encoding="utf-8")
    said = {kind: next(line for line in captions.splitlines() if line.startswith(f"**{kind}-crops-psnr**"))
            for kind in ("rd", "savings", "bd")}
    assert said["rd"].endswith("Beyond the axes run on: Far, published.")
    assert "Beyond the axes run on: costly" in said["savings"]
    assert "up to +100" in (tmp_path / "figures/savings-crops-psnr.svg").read_text(encoding="utf-8")
    assert "Beyond" not in said["bd"]
    chosen = replace(many, references=[], appearance=Appearance(ranges={"bpp": (0.0, 1.0)}))
    captions = make("figures", chosen, tmp_path)[0].read_text(encoding="utf-8")
    assert "Beyond the axes run on: jpeg; avif;" in captions
    assert "Beyond" not in captions.partition("**savings")[2]
    assert "up to" not in (tmp_path / "figures/savings-crops-psnr.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("scale", "low"), [("linear", 0.0), ("log", 0.1)])
def test_a_range_from_zero_leaves_the_end_of_a_logarithmic_axis(scale: str, low: float) -> None:
    with styled("x"):
        axes = blank(PAGE, 3.4).subplots()
    axes.plot([0.1, 5.0], [30, 40])
    axes.set(xscale=scale, xlim=(0.1, 5))
    limit(axes, Appearance(ranges={"bpp": (0.0, 2.0), "psnr": (28.0, 42.0)}), "bpp", "psnr")
    assert axes.get_xlim() == pytest.approx((low, 2))
    assert axes.get_ylim() == pytest.approx((28, 42))


def crowd(apart: float) -> dict[str, Any]:
    """Four rising curves, neighbours `apart` data units from each other, in the middle of their way."""
    x = np.linspace(0, 1, 20)
    return {f"c{k}": np.column_stack([x, x**0.5 * 0.9 + apart * k]) for k in range(4)}


def inset_of(curves: dict[str, Any], more: dict[str, Any]) -> tuple[Any, Any, bool]:
    with styled("x"):
        figure = blank(PAGE, 3.4)
        axes = figure.subplots()
        for points in (*curves.values(), *more.values()):
            axes.plot(*points.T)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        settle(figure)
        return figure, axes, enlarge(figure, axes, curves, [], lambda inset: None)


def test_an_inset_parts_curves_that_are_close() -> None:
    assert inset_of(crowd(0.012), {})[2]


def test_an_inset_that_would_not_part_them_is_not_drawn() -> None:
    assert not inset_of(crowd(0.0), {})[2]


def test_an_inset_covers_no_published_curve() -> None:
    below = {"low": np.array([[0.3, 0.1], [1.0, 0.3]]), "high": np.array([[0.0, 0.8], [0.4, 0.95]])}
    figure, axes, drawn = inset_of(crowd(0.012), below)
    if drawn:
        box = axes.child_axes[0].get_window_extent()
        for points in below.values():
            x, y = axes.transData.transform(np.column_stack([np.linspace(a, b, 200) for a, b in points.T])).T
            assert not ((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)).any()
    assert figure.axes
