"""Fonts of figures: the family asked for, a fallback for what it lacks, and the author's own matplotlibrc."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from benchbox_reports.figures.fonts import families, note
from benchbox_reports.figures.sheet import styled
from encoded_crops import PSNR, Rows, make, results_of

from benchbox.appearance import Appearance


def test_times_has_serifs_even_where_it_is_not_installed() -> None:
    first = families("Times")[0]
    assert first != "DejaVu Sans"
    assert families(None)[0] == "DejaVu Sans"
    assert first == "Times" or first in note("Times", [])


def test_a_font_that_is_not_installed_is_said() -> None:
    assert note("No Such Font", ["jpeg"]) == "No Such Font is not installed; text is set in DejaVu Sans."
    assert note(None, ["jpeg", "Grüße, µ"]) == ""


def test_a_missing_glyph_is_said_in_the_captions(crop_rows: Rows, tmp_path: Path) -> None:
    name = "codec \U0001D173\U000E0041 𓀀"
    rows = [{**row, "label": name} if row["label"] == "webp" else row for row in crop_rows]
    captions = make("figures", results_of(rows, [PSNR]), tmp_path)[0].read_text(encoding="utf-8")
    assert "No font here has the characters" in captions
    assert "𓀀" in captions


def test_the_authors_matplotlibrc_goes_before_our_style_and_below_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.linewidth: 2.5\nfont.family: monospace\nbackend: svg\n")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
    before = mpl.get_backend()
    with styled("x"):
        assert mpl.rcParams["axes.linewidth"] == 2.5
        assert mpl.rcParams["font.family"] == ["monospace"]
        assert mpl.rcParams["legend.frameon"] is False
    with styled("x", "Helvetica"):
        assert mpl.rcParams["font.family"] == families("Helvetica")
    assert mpl.get_backend() == before


def test_widths_and_ranges_are_the_authors(crop_rows: Rows, tmp_path: Path) -> None:
    run = results_of(crop_rows, [PSNR])
    make("figures", replace(run, appearance=Appearance(widths=(3.25, 6.5), ranges={"bpp": (0.5, 1.5)})), tmp_path)
    for stem, inches in (("rd-crops-psnr-column", 3.25), ("rd-crops-psnr", 6.5)):
        svg = (tmp_path / f"figures/{stem}.svg").read_text(encoding="utf-8")
        assert f'width="{72 * inches:g}pt"' in svg
