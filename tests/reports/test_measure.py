"""The headline, the page's table, the bars, ``summary.tex`` and the frame name one order and the same numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from benchbox_reports.analysis import Analysis, analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.figures.bars import bars_figure
from benchbox_reports.figures.sheet import PAGE, styled
from benchbox_reports.frames import bd_table, matrix_table
from benchbox_reports.headline import APART, sentences, summary
from benchbox_reports.measure import rankings
from benchbox_reports.summary import summarise
from encoded_crops import PSNR, Rows, results_of
from matplotlib.patches import Rectangle

from benchbox.curves import rate_decimals
from benchbox.reference import Reference

REFERENCES = [Reference(id_, title, "crops", "means", "a paper", (0.2, 0.5, 1.0, 2.0, 3.0),
                        {"psnr": tuple(value + up for value in (28.0, 31.0, 34.0, 38.0, 41.0))})
              for id_, title, up in (("vtm", "VTM", 3.0), ("old", "Old", -2.0))]


@pytest.fixture(scope="module")
def rows(crop_rows: Rows) -> Rows:
    """Two codecs that the two measures rank in two orders: one saves the same share of bits on each picture, the other
    much on all but the picture that has most bits, and nothing there."""
    jpeg = [row for row in crop_rows if row["label"] == "jpeg"]
    largest = max({row["sample"] for row in jpeg}, key=lambda name: sum(r["bpp"] for r in jpeg if r["sample"] == name))
    steady = [{**row, "label": "steady", "bpp": row["bpp"] * 0.70} for row in jpeg]
    uneven = [{**row, "label": "uneven", "bpp": row["bpp"] * (1.3 if row["sample"] == largest else 0.6)}
              for row in jpeg]
    return [*jpeg, *steady, *uneven]


@pytest.fixture(scope="module", params=["jpeg", "vtm"])
def analysis(request: pytest.FixtureRequest, rows: Rows) -> Analysis:
    return analyse(results_of(rows, [PSNR], references=REFERENCES), request.param)


def printed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def test_all_name_one_order_and_the_same_numbers(analysis: Analysis) -> None:
    (section,) = analysis.sections
    anchor = str(analysis.anchor)
    frame: Any = bd_table(analysis).set_index("label")
    by_curves = anchor in analysis.published
    column = {label: "bd_rate_percent" if by_curves or label in analysis.published else "pictures_mean_percent"
              for label in frame.index}
    known = {label: float(frame.loc[label, name]) for label, name in column.items()}
    order = sorted(known, key=lambda label: (label in analysis.published and not by_curves, known[label]))

    assert [row.label for ranking in rankings(section) for _, row in ranking.rows] == order
    _, groups = summary(analysis, {})
    texts = {label: cells[0] for _, group in groups for label, cells in group}
    assert [label for _, group in groups for label, _ in group if label != anchor] == order
    digits = rate_decimals(row.pictures.interval for row in section.comparisons)
    assert {label: text for label, (text, _) in texts.items()} == {
        anchor: "anchor", **{label: printed(value, digits) for label, value in known.items()}}
    (tex,) = summarise(analysis)
    assert [(label, values) for label, _, values in tex.rows] == [(label, (known[label],)) for label in order]
    with styled("x"):
        figure = bars_figure(section, chosen_looks(analysis), PAGE)
    assert figure is not None
    bars = [(label.get_text(), bar.get_width()) for axes in figure.axes for label, bar in zip(
        axes.get_yticklabels(), [bar for bar in axes.patches if isinstance(bar, Rectangle)], strict=True)]
    assert [name for name, _ in bars] == order
    assert dict(bars) == pytest.approx(known)

    measured = [label for label in order if label not in analysis.published]
    said = sentences(analysis, anchor, {})[0]
    assert f"{measured[0]} " in said
    assert measured[1] not in said.partition(measured[0])[0]
    assert ("(mean curves)" in said) == by_curves
    best = [label for label, (_, bold) in texts.items() if bold]
    assert best == [order[0]]
    assert [title for title, _ in groups] == ([""] if by_curves else ["", f"Published curves, {APART}"])


def test_the_two_measures_would_give_two_orders(rows: Rows) -> None:
    """Or the test above could not fail."""
    analysis = analyse(results_of(rows, [PSNR], references=REFERENCES), "jpeg")
    values: Any = bd_table(analysis).set_index("label")
    assert values["pictures_mean_percent"]["uneven"] < values["pictures_mean_percent"]["steady"]
    assert values["bd_rate_percent"]["uneven"] > values["bd_rate_percent"]["steady"]
    matrix: Any = matrix_table(analysis).set_index(["anchor", "label"])["bd_rate_percent"]
    assert matrix["jpeg", "uneven"] == values["pictures_mean_percent"]["uneven"]


def test_a_codec_without_a_value_on_pictures_is_named(rows: Rows) -> None:
    one = [{**row, "label": "one point", "quality": 50.0} for row in rows
           if row["label"] == "jpeg" and row["quality"] == 40]
    (section,) = analyse(replace(results_of([*rows, *one], [PSNR]))).sections
    (ranking,) = rankings(section)
    assert [label for label, _ in ranking.missing] == ["one point"]
    assert ranking.missing[0][1] not in ("", "no value")
