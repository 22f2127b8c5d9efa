"""A printed page of many metrics: what it shows in full, what it says of the rest, and that it is not too wide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchbox_reports import figures
from chromium import Browser
from hostile_report import SCRIPT, page_of

from benchbox import registry
from benchbox.report import Results

LONG = f"webp {' '.join(f'option{k}={k}' for k in range(12))}"
WIDE = 703
"""Pixels between the margins of a printed page, A4 with 12 mm."""


@pytest.fixture(scope="module")
def scored(results: Results) -> Results:
    """The run with three metrics, of which the first has no value, and with a long label."""
    frame = results.frame.assign(
        label=results.frame["label"].replace(SCRIPT, LONG), psnr=np.nan,
        ms_ssim=results.frame["psnr"] / 60, ssim=results.frame["psnr"] / 70,
    )  # fmt: skip
    known = registry.load()
    return replace(results, frame=frame, metrics=[known.metric(name) for name in ("psnr", "ms-ssim", "ssim")])


def printed(results: Results, browser: Browser, out: Path) -> None:
    """Open the page of `results` as it is printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        browser.open(page_of(results, out), WIDE, media="print")


def titles(browser: Browser, part: str) -> list[str]:
    """The headings in a part of the page that are seen."""
    return list(
        browser.js(
            f"[...document.querySelectorAll('{part} h3')].filter(h => h.checkVisibility())"
            ".map(h => h.firstChild.textContent.split(' on ')[0])"
        )
    )


def test_metrics_with_values_come_first(scored: Results, browser: Browser, tmp_path: Path) -> None:
    printed(scored, browser, tmp_path)
    assert titles(browser, "#bd") == ["MS-SSIM", "SSIM"]
    assert browser.js("document.querySelector('#bd > .only-on-paper')") is None  # of PSNR there is no more to read
    assert browser.js("document.documentElement.scrollWidth") <= WIDE  # else all is printed smaller
    assert browser.js("document.querySelector('#summary').innerText").replace("\xa0", " ").count(LONG) == 1


def test_nothing_is_said_of_tables_that_are_not_there(scored: Results, browser: Browser, tmp_path: Path) -> None:
    alone = scored.frame[(scored.frame["label"] == "jpeg").to_numpy(dtype=bool)]
    printed(replace(scored, frame=alone.assign(psnr=alone["ssim"] * 70)), browser, tmp_path)
    assert titles(browser, "#bd") == ["PSNR", "MS-SSIM"]
    assert browser.js("document.querySelector('#bd > .only-on-paper')") is None
