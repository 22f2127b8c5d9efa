"""Fonts of figures: the family asked for, a fallback for what it lacks, and the author's own matplotlibrc."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from benchbox_reports.figures.fonts import families, note
from benchbox_reports.figures.sheet import styled
from encoded_crops import PSNR, Rows, make, results_of
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from matplotlib import font_manager

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


@pytest.mark.slow  # matplotlib lists all fonts anew, twice
def test_a_font_installed_after_matplotlib_listed_them_is_found(tmp_path: Path) -> None:
    """In a process of its own, whose list of fonts is older than a font in the user's folder."""
    folder = tmp_path / "data" / "fonts"
    folder.mkdir(parents=True)
    script = ("from matplotlib import font_manager\n"
              "from benchbox_reports.figures.fonts import families, note\n"
              "print(note('Late Font', []), families('Late Font')[0])")
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path / "cache"), "XDG_DATA_HOME": str(tmp_path / "data"),
                   "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip

    def said() -> str:
        return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True,
                              check=True, timeout=120).stdout.strip()  # fmt: skip

    assert said() == "Late Font is not installed; text is set in DejaVu Sans. DejaVu Sans"
    font = TTFont(font_manager.findfont("DejaVu Sans"))
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = "Late Font"
    font.save(folder / "late.ttf")
    assert said() == "Late Font"


def test_a_fallback_without_a_bold_face_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with styled("x"):
        font_manager.findfont(font_manager.FontProperties(family="cmmi10", weight="bold"))
    assert caplog.records == []
    font_manager.findfont(font_manager.FontProperties(family="cmex10", weight="bold"))
    assert "Failed to find font weight bold" in caplog.text  # or the test could not fail
