"""A page with names of 60 characters, without a space, of other scripts; and one with a single codec."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchbox_reports import figures
from chromium import Browser
from encoded_crops import PSNR, Rows, make, results_of

pytestmark = pytest.mark.browser
NAMES = {"jpeg": "a codec of mine with an option=that-is-long and another 3x", "webp": "x" * 60,
         "jpeg progressive=yes": "日本語のコーデック 品質=高"}  # fmt: skip


@pytest.fixture
def page(crop_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures, "FORMATS", ())
    rows = [{**row, "label": NAMES.get(row["label"], row["label"])} for row in crop_rows]
    return make("page", results_of(rows, [PSNR]), tmp_path)[0]


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_long_names_stand_beside_their_marks(page: Path, browser: Browser, width: int) -> None:
    browser.open(page.as_uri(), width)
    rows = browser.js("[...document.querySelectorAll('#summary tbody th')].map(th => { const m = "
                      "th.querySelector('svg').getBoundingClientRect(), c = th.getBoundingClientRect(), "
                      "t = th.querySelector('a').getClientRects()[0]; "
                      "return [t.top < m.bottom, t.left > m.right, t.right <= c.right]; })")
    assert rows == [[True, True, True]] * 3
    assert browser.js("document.documentElement.scrollWidth") == width
    gaps = browser.js("[...document.querySelectorAll('.controls label')].filter(l => l.checkVisibility()).map(l => "
                      "l.getBoundingClientRect().right - l.lastElementChild.getBoundingClientRect().right)")
    assert width == 390 or max(gaps) < 2
    assert browser.troubles == []


def test_a_single_codec_is_not_said_to_be_hidden(crop_rows: Rows, tmp_path: Path, browser: Browser,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(figures, "FORMATS", ())
    rows = [row for row in crop_rows if row["label"] == "webp"]
    browser.open(make("page", results_of(rows, [PSNR]), tmp_path)[0].as_uri())
    said = browser.js("document.querySelector('#pictures .none').innerText")
    assert said == "There is no other codec to compare with."
    assert browser.js("byId('headline').innerText").startswith("webp is the only codec with a curve")
