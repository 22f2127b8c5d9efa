"""A column of printed numbers has one precision, and its decimal points stand below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from benchbox_reports import figures, page
from benchbox_reports.analysis import analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.columns import FIGURE_SPACE, aligned, of_least, precision
from benchbox_reports.figures.bars import bars_figure
from benchbox_reports.figures.sheet import styled
from benchbox_reports.kinds import ReportOptions
from benchbox_reports.tables import bd_rows
from benchbox_reports.wording import interval, number
from encoded_crops import Rows, make, results_of
from hostile_report import embedded
from hypothesis import given

from benchbox.reference import Reference

VTM = Reference("vtm", "VTM", "crops", "means", "a paper", (0.2, 0.5, 1.0, 2.0, 3.0),
                {"psnr": (28.0, 31.0, 34.0, 38.0, 41.0)})
NUMBER = re.compile(r"[−+]?\d[\d,]*(?:\.\d+)?")


def precisions(cells: Sequence[str]) -> set[tuple[int, ...]]:
    """Decimals of the k-th number of every cell that has numbers."""
    numbers = [NUMBER.findall(cell) for cell in cells]
    return {tuple(len(text.partition(".")[2]) for text in found) for found in numbers if found}


def test_the_most_certain_value_sets_the_decimals() -> None:
    assert precision([2.13, 0.213, None, 21.3], 1, 2) == 2
    assert precision([21.3, 30.0], 1, 2) == 0
    assert precision([None, float("nan"), 0.0], 1, 2) == 1
    assert precision([1e-9], 1, 2) == 2
    assert of_least([300.0, 0.0123], 6) == 3
    assert of_least([300.0, float("nan")], 6) == 0
    assert of_least([], 6) == 0


@given(st.lists(st.tuples(st.floats(-999, 999), st.none() | st.floats(0, 99)), min_size=1, max_size=5))
def test_any_column_is_aligned(values: list[tuple[float, float | None]]) -> None:
    ends = [None if spread is None else (value - spread, value + spread) for value, spread in values]
    cells = [f"{number(value, 1, signed=True)} {interval(pair)}".strip()
             for (value, _), pair in zip(values, ends, strict=True)]
    filled = aligned([*cells, "–", ""])
    assert filled[-2:] == ["–", ""]
    assert [cell.replace(FIGURE_SPACE, "") for cell in filled[:-2]] == [cell.replace(FIGURE_SPACE, "")
                                                                        for cell in cells]
    points = [[len(cell) - found.end() for found in NUMBER.finditer(cell)] for cell in filled[:-2]]
    for k in range(3):  # from the right, as the column is set
        assert len({row[k] for row in points if len(row) > k}) <= 1


@pytest.fixture(scope="module")
def mixed(crop_rows: Rows) -> Rows:
    """Rows whose BD-rates are known to very different precision: a codec near the anchor, and one far from it on one
    picture alone."""
    jpeg = [row for row in crop_rows if row["label"] == "jpeg"]
    near = [{**row, "label": "near", "bpp": row["bpp"] * 1.001} for row in jpeg]
    far = [{**row, "label": "far", "bpp": row["bpp"] * (9 if row["sample"] == "crop0.png" else 0.7)} for row in jpeg]
    return [*crop_rows, *near, *far]


def test_every_column_has_one_precision(mixed: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the page, for every anchor, and in Markdown and LaTeX."""
    monkeypatch.setattr(figures, "FORMATS", ())
    run = results_of(mixed, references=[VTM])
    make("tables", run, tmp_path)
    file = page.render(run, ReportOptions.model_validate({}), tmp_path)[0]
    tables = {f"{section['id']} {anchor}": [cells for cells, *_ in rows]
              for section in embedded(file)["sections"] for anchor, rows in section["bd"].items()}
    assert len(tables) == 6 + 5  # VTM has no SSIM
    for name in ("bd", "rd-points"):
        text = (tmp_path / f"tables/{name}.md").read_text(encoding="utf-8").replace("\\\\", "")
        for part in text.split("## ")[1:]:
            tables[f"{name} {part[:20]}"] = [line.split("|")[1:-1] for line in part.splitlines()
                                             if line.startswith("|")][2:]
    for name, rows in tables.items():
        for k, cells in enumerate(zip(*rows, strict=True)):
            if k and not (name.startswith("rd-points") and k == 1):  # a quality is a name
                of_numbers = {one for one in precisions(cells) if one}
                longest = max(of_numbers, key=len, default=())
                assert all(one == longest[: len(one)] for one in of_numbers), (name, k, cells)
    assert "\\phantom{0}" in (tmp_path / "tables/bd.tex").read_text(encoding="utf-8")


def test_the_matrix_and_the_points_of_the_page(mixed: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())
    html = page.render(results_of(mixed), ReportOptions.model_validate({}), tmp_path)[0].read_text(encoding="utf-8")
    for table in re.findall(r'<table class="matrix".*?</table>', html, re.DOTALL):
        assert len({len(text) for text in re.findall(r"<td>[−+]?\d+\.?(\d*)<", table)}) == 1
    curves = re.findall(r'aria-label="[^"]*, S?PSNR on crops">(.*?)</table>', html, re.DOTALL)
    assert len(curves) == 5
    for table in curves:
        rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)[1:]]
        assert all(len(precisions(column)) == 1 for column in zip(*rows, strict=True))


def test_an_interval_is_as_precise_as_its_mean(mixed: Rows) -> None:
    (section, _) = analyse(replace(results_of(mixed), references=[VTM])).sections
    rows = bd_rows(section, section.comparisons)
    assert precisions([row[5] for row in rows]) == {(2, 2, 2)}
    assert precisions([row[1] for row in rows]) == {(2,)}


def test_a_bd_rate_is_printed_alike_everywhere(mixed: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In headline, summary and words of the page, in its data, in bars and in both kinds of table files."""
    monkeypatch.setattr(figures, "FORMATS", ())
    run = results_of(mixed)
    analysis = analyse(run)
    make("tables", run, tmp_path)
    html = page.render(run, ReportOptions.model_validate({}), tmp_path)[0]
    data, text = embedded(html), html.read_text(encoding="utf-8").replace("\u00a0", " ")
    tables = [(tmp_path / f"tables/{name}").read_text(encoding="utf-8") for name in ("bd.md", "summary.tex")]
    bold = re.compile(r"\\textbf\{(\S+?)\}\\rlap\{\\textbf\{(\.\d+)\}\}\\phantom\{\.\d+\}")
    tables[1] = bold.sub(r"\1\2", tables[1]).replace("$-$", "−")
    assert {section["digits"]["jpeg"] for section in data["sections"]} == {2}
    for section in analysis.sections:
        for row in section.comparisons:
            mean = row.pictures.mean
            assert mean is not None
            printed = number(mean, 2, signed=True)
            assert all(printed in table for table in tables), (row.label, printed)
            assert f"<td>{printed}</td>" in text or f"<td><b>{printed}</b></td>" in text
            assert f"{row.label} needs {abs(mean):.2f} % {'fewer' if mean < 0 else 'more'} bits than jpeg" in text
        with styled("bars"):
            bars = bars_figure(section, chosen_looks(analysis), 3.5)
        assert bars is not None
        values = {one.get_text() for one in bars.axes[0].texts}
        assert values == {number(row.pictures.mean, 2, signed=True) for row in section.comparisons}
    assert re.search(r"[−+]\d+\.\d\d\s%", data["headline"]["jpeg"][1])
