"""The page's script counts pictures and ranks as Python does, and for the pictures that the reader chooses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from benchbox_reports.analysis import analyse
from benchbox_reports.headline import summary
from chromium import Browser, cells, choose
from encoded_crops import PSNR, Rows, failed, make, results_of

pytestmark = pytest.mark.browser


def test_the_script_counts_and_ranks_as_python(crop_rows: Rows, tmp_path: Path, browser: Browser) -> None:
    jpeg = [row for row in crop_rows if row["label"] == "jpeg"]
    others: list[dict[str, Any]] = []
    for label, factor, pictures in (("lucky", 0.2, 2), ("steady", 0.7, 6), ("worse", 1.1, 6)):
        own = [{**row, "label": label, "codec": "webp", "key": f"{row['key']}{label}", "bpp": row["bpp"] * factor,
                "bytes": int(row["bytes"] * factor)} for row in jpeg]
        names = sorted({row["sample"] for row in jpeg})
        others += [row if row["sample"] in names[:pictures] else failed(row, "failed", "no value here") for row in own]
    run = results_of([*jpeg, *others], [PSNR])
    browser.open(make("page", run, tmp_path)[0].as_uri())
    heads, ((_, rows),) = summary(analyse(run), {})
    expected = [["Codec", *heads], *([label, *(text for text, _ in line)] for label, line in rows)]
    assert [[text.replace(" ↑", "") for text in row] for row in cells(browser, "#summary")] == expected
    assert expected[-1] == ["lucky", "−80.00 (2 of 6 pictures)"]
    assert browser.js("[...document.querySelectorAll('#summary b')].map(b => b.textContent)") == ["−30.00"]
    assert "mean over 6 pictures" in browser.js("byId('summary-of').textContent")
    assert "says so" in browser.js("byId('summary-of').textContent")
    dots = browser.js("document.querySelector('[id^=dots-]').textContent")
    assert re.search(r"Not over all pictures: lucky \(2 of 6 pictures\)", dots)

    choose(browser, "c-picture", "crop0.png")  # one that all have: nothing is few, and the best is the best
    assert browser.js("[...document.querySelectorAll('#summary b')].map(b => b.textContent)") == ["−80.00"]
    assert "says so" not in browser.js("byId('summary-of').textContent")
    choose(browser, "c-picture", "crop5.png")
    assert browser.js("[...document.querySelectorAll('#summary b')].map(b => b.textContent)") == ["−30.00"]
