"""A mean over fewer pictures says so and is not ranked against means over all: headline, tables, bars, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchbox_reports.analysis import Analysis, analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.figures.bars import bars_figure
from benchbox_reports.figures.captions import section_captions
from benchbox_reports.figures.sheet import PAGE, styled
from benchbox_reports.headline import sentences, summary
from benchbox_reports.pareto import DrawnSpeeds
from benchbox_reports.summary import summary_tex
from encoded_crops import PSNR, Rows, failed, make, results_of
from typeset import complaints, needs_latex

from benchbox.api import _overview
from benchbox.appearance import PLAIN
from benchbox.frames import ResultFrame
from benchbox.report import Results


def scaled(rows: Rows, label: str, factor: float, pictures: int) -> Rows:
    """The JPEG rows with `factor` times the bits, as a codec that has no values on all but the first `pictures`."""
    names = sorted({row["sample"] for row in rows})[:pictures]
    own = [{**row, "label": label, "codec": "webp", "bpp": row["bpp"] * factor, "key": f"{row['key']}-{label}"}
           for row in rows if row["label"] == "jpeg"]
    return [row if row["sample"] in names else failed(row, "failed", "no value here") for row in own]


def run_of(rows: Rows, more: Sequence[dict[str, Any]] = (), **codecs: tuple[float, int]) -> Results:
    jpeg = [row for row in rows if row["label"] == "jpeg"]
    others = [row for label, (factor, pictures) in codecs.items() for row in scaled(jpeg, label, factor, pictures)]
    return results_of([*jpeg, *others, *more], [PSNR])


def first(analysis: Analysis) -> str:
    return sentences(analysis, str(analysis.anchor), {})[0]


@pytest.fixture(scope="module")
def run(crop_rows: Rows) -> Results:
    """`lucky` saves most, on two of six pictures; `nothing` never goes through."""
    return run_of(crop_rows, lucky=(0.2, 2), steady=(0.7, 6), worse=(1.1, 6), nothing=(1.0, 0))


def test_the_headline_ranks_those_that_have_all_pictures(run: Results) -> None:
    said = first(analyse(run))
    assert said.startswith("steady needs the fewest bits at equal PSNR over 6 pictures of crops: 30.00 % fewer than ")
    assert said.endswith("before worse (+10.00 %). Not ranked, as over other pictures: "
                         "lucky (−80.00 %, 2 of 6 pictures).")


def test_the_tables_count_it_and_do_not_rank_it(run: Results) -> None:
    analysis = analyse(run)
    _, ((_, rows),) = summary(analysis, {})
    assert rows == [("steady", [("−30.00", True)]), ("jpeg", [("anchor", False)]), ("worse", [("+10.00", False)]),
                    ("lucky", [("−80.00 (2 of 6 pictures)", False)])]
    text = summary_tex(analysis)
    lines = [line for line in text.splitlines() if " & " in line]
    room = "\\phantom{$^{0}$}"  # as wide as the raised number, so that decimal points stand below each other
    assert lines == [
        "Codec & PSNR \\\\", f"steady & \\textbf{{$-$30}}\\rlap{{\\textbf{{.00}}}}\\phantom{{.00}}{room} \\\\",
        f"worse & +10.00{room} \\\\", f"lucky & $-$80.00\\rlap{{$^{{2}}$}}{room} \\\\", f"nothing & --{room} \\\\"]
    assert "mean over 6 pictures; negative" in text
    assert "Raised: the number of pictures" in text
    assert "--: no BD-rate." in text


def test_bars_and_captions_name_the_pictures(run: Results) -> None:
    analysis = analyse(run)
    (section,) = analysis.sections
    with styled("x"):
        figure: Any = bars_figure(section, chosen_looks(analysis), PAGE)
    names = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
    assert names == ["steady", "worse", "lucky (2 of 6 pictures)"]
    timed = {"lucky": (1.0, 1.0, 1.0), "steady": (1.0, 1.0, 1.0)}
    speeds = DrawnSpeeds({"encode": timed, "decode": timed}, [])
    drawn: dict[str, list[str]] = {"bd": [], "pareto": []}
    said = section_captions(section, drawn, {"bd": "bd", "pareto": "pareto"}, "pchip", speeds)
    assert "not ranked: lucky (−80.00 %, 2 of 6 pictures)" in said
    assert "Not drawn, as over other pictures than most: lucky (2 of 6 pictures)" in said


def test_the_page_says_so_without_its_script(run: Results, tmp_path: Path) -> None:
    text = make("page", run, tmp_path)[0].read_text(encoding="utf-8").partition("<script type")[0]
    assert "<td>−80.00 (2 of 6 pictures)</td>" in text
    assert "<b>−30.00</b>" in text
    assert "<b>−80.0" not in text
    assert "A value that is not over all pictures says so" in text
    assert "over all 6 pictures" not in text


def test_a_notebook_says_so(run: Results) -> None:
    shown = ResultFrame.of(run.frame, partial(_overview, appearance=PLAIN))._repr_html_()
    table = shown.partition("<table>")[2].partition("</table>")[0]
    rows = [row.split("<td>")[0].split(">")[1].split("<")[0] for row in table.split("<tr>")[2:]]
    assert rows == ["steady", "worse", "lucky", "nothing"]
    assert "<td><b>−30.00</b></td>" in table
    assert "<td>−80.00 (2 of 6 pictures)</td>" in table


def test_where_none_has_all_the_most_pictures_rank(crop_rows: Rows) -> None:
    said = first(analyse(run_of(crop_rows, five=(0.9, 5), also=(0.8, 5), one=(0.5, 1))))
    assert " at equal PSNR over 5 of 6 pictures of crops, as no codec has more: 20.00 % fewer" in said
    assert said.startswith("also needs the fewest bits")
    assert said.endswith("Not ranked, as over other pictures: one (−50.00 %, 1 of 6 pictures).")


def test_as_many_but_other_pictures_are_not_ranked(crop_rows: Rows) -> None:
    rows = [row for row in crop_rows if row["label"] == "jpeg"]
    names = sorted({row["sample"] for row in rows})
    others = [row if row["sample"] in names[2:] else failed(row, "failed", "no value here")
              for row in scaled(rows, "back", 0.3, 6)]
    said = first(analyse(run_of(rows, others, front=(0.6, 4), too=(0.7, 4))))
    assert "front (−40.0 %) and too (−30.0 %) need the fewest bits" in said
    assert said.endswith("Not ranked, as over other pictures: back (−70.0 %, 4 of 6 pictures).")


@needs_latex
def test_raised_numbers_are_typeset(run: Results, tmp_path: Path) -> None:
    (tmp_path / "summary.tex").write_text(summary_tex(analyse(run)), encoding="utf-8")
    assert complaints([tmp_path / "summary.tex"], tmp_path) == []
