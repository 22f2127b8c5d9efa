"""A printed page is as wide as its sheet, since a browser makes all of a wider one smaller, or cuts it; it shows two
metrics in full and says where the rest is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import figures, page
from benchbox_reports.kinds import ReportOptions
from chromium import Browser
from crowded import PUBLISHED
from hostile_report import SCRIPT, page_of

from benchbox import registry
from benchbox.report import Results
from benchbox.results import load_results
from benchbox.results.place import find_run
from benchbox.store import Workspace

pytestmark = pytest.mark.browser
LONG = f"webp {' '.join(f'option{k}={k}' for k in range(12))}"
SHEET = 703
"""Pixels that a sheet of A4 is wide between margins of 12 mm."""


@pytest.fixture(scope="module")
def two_sets(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of four codecs, eight metrics and two data sets."""
    out = tmp_path_factory.mktemp("two")
    whole = load_results(find_run(str(PUBLISHED), Workspace.at(out / "runs")), registry.load())
    labels = ["jpeg", "webp", "resnet tune=ms-ssim", "resnet tune=ms-ssim effort=8"]
    chosen = whole.frame["label"].isin(labels) & whole.frame["sample"].isin([f"kodim0{k}.png" for k in range(1, 6)])
    frame = whole.frame[chosen.to_numpy(dtype=bool)].assign(timing="indicative", dataset="folder:holiday photographs")
    frame = pd.concat([frame, frame.assign(dataset="folder:small")], ignore_index=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        return page.render(replace(whole, frame=frame), ReportOptions.model_validate({}), out)[0].as_uri()


def printed(browser: Browser, url: str) -> int:
    """Lay a page out as on paper; its width in pixels."""
    browser.open(url, SHEET, media="print")
    browser.js("window.dispatchEvent(new Event('beforeprint'))")
    return int(browser.js("document.documentElement.scrollWidth"))


def test_many_metrics_and_codecs_fit_a_sheet(published_page: str, browser: Browser) -> None:
    assert printed(browser, published_page) == SHEET
    assert browser.js("document.getElementById('summary').checkVisibility()")


def test_a_summary_wider_than_a_sheet_is_printed_in_parts(two_sets: str, browser: Browser) -> None:
    """Each data set has a part, and each BD-rate of the screen is in one of them, under its metric."""
    browser.open(two_sets, 1440)
    read = """t => [...t.rows].map(r => [...r.cells].map(c => c.textContent.trim()))"""
    heads, *rows = browser.js(f"({read})(document.getElementById('summary'))")
    assert len(heads) == 17
    assert printed(browser, two_sets) == SHEET
    assert not browser.js("document.getElementById('summary').checkVisibility()")
    seen = browser.js(f"[...document.querySelectorAll('.summary')].map(t => [t.caption.textContent, ({read})(t)])")
    again = {(f"{metric}, {name}", row[0], cell) for name, (top, *body) in seen for row in body
             for metric, cell in zip(top[1:], row[1:], strict=True)}  # fmt: skip
    assert again == {(head, row[0], cell) for row in rows for head, cell in zip(heads[1:], row[1:], strict=True)}
    browser.js("window.dispatchEvent(new Event('afterprint'))")
    assert browser.js("document.querySelectorAll('.summary').length") == 0
    assert browser.js("document.getElementById('summary').checkVisibility()")


def test_small_plots_stand_side_by_side_after_the_large_ones(two_sets: str, browser: Browser) -> None:
    printed(browser, two_sets)
    wide = browser.js(
        "[...document.querySelectorAll('#curves figure')].map(f => f.getBoundingClientRect())"
        ".sort((a, b) => a.top - b.top || a.left - b.left).map(r => r.width > 500)"
    )
    assert wide == [True] * 4 + [False] * 12


@pytest.fixture(scope="module")
def scored(results: Results) -> Results:
    """The run with three metrics, of which the first has no value, and with a long label."""
    frame = results.frame.assign(
        label=results.frame["label"].replace(SCRIPT, LONG), psnr=np.nan,
        ms_ssim=results.frame["psnr"] / 60, ssim=results.frame["psnr"] / 70,
    )  # fmt: skip
    known = registry.load()
    return replace(results, frame=frame, metrics=[known.metric(name) for name in ("psnr", "ms-ssim", "ssim")])


def without_figures(results: Results, out: Path) -> str:
    """The address of the page of `results`, written without files of figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        return page_of(results, out)


def titles(browser: Browser, part: str) -> list[str]:
    """The headings in a part of the page that are seen."""
    return list(
        browser.js(
            f"[...document.querySelectorAll('{part} h3')].filter(h => h.checkVisibility())"
            ".map(h => h.firstChild.textContent.split(' on ')[0])"
        )
    )


def test_metrics_with_values_come_first(scored: Results, browser: Browser, tmp_path: Path) -> None:
    width = printed(browser, without_figures(scored, tmp_path))
    assert titles(browser, "#bd") == ["MS-SSIM", "SSIM"]
    assert browser.js("document.querySelector('#bd > .only-on-paper')") is None  # of PSNR there is no more to read
    assert width <= SHEET
    assert browser.js("document.querySelector('#summary').innerText").replace("\xa0", " ").count(LONG) == 1


def test_nothing_is_said_of_tables_that_are_not_there(scored: Results, browser: Browser, tmp_path: Path) -> None:
    alone = scored.frame[(scored.frame["label"] == "jpeg").to_numpy(dtype=bool)]
    printed(browser, without_figures(replace(scored, frame=alone.assign(psnr=alone["ssim"] * 70)), tmp_path))
    assert titles(browser, "#bd") == ["PSNR", "MS-SSIM"]
    assert browser.js("document.querySelector('#bd > .only-on-paper')") is None
