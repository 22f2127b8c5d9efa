"""The numbers that a reader of the page sees in headless Chromium: those of the table files, sorted and filtered."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chromium import Browser, cells, choose
from hostile_report import SCRIPT, embedded, page_of

from benchbox.report import Results


def same(printed: str, value: float) -> bool:
    """Whether a number on the page is `value` at its printed precision."""
    text = re.split(r"[ %]", printed.replace("−", "-").replace(",", ""))[0]
    if text == "–":
        return bool(np.isnan(value))
    mantissa, _, exponent = text.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(text) - value) <= 0.5000001 * unit


@pytest.mark.browser
def test_tables_sort(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    browser.js("document.querySelectorAll('#summary .sort')[1].click()")
    assert browser.js("document.querySelectorAll('#summary th')[1].getAttribute('aria-sort')") == "descending"
    assert browser.js("location.hash") == "#down=yes"


@pytest.mark.browser
def test_numbers_that_are_read_stand_in_the_tables(report: Path, browser: Browser) -> None:
    section = embedded(report / "index.html")["sections"][0]
    browser.open((report / "index.html").as_uri())
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    matrix: Any = pd.read_csv(report / "tables/bd-matrix.csv").set_index(["anchor", "label"])
    pictures: Any = pd.read_csv(report / "tables/bd-pictures.csv").set_index(["anchor", "picture"])
    pairs: Any = pd.read_csv(report / "tables/bd-all.csv").set_index(["anchor", "label"])
    for anchor, other in (("jpeg", SCRIPT), (SCRIPT, "jpeg")):
        choose(browser, "c-anchor", anchor, "change")
        _, (label, rate, gain, span, overlap, mean, median, won, count, *_) = cells(browser, f"#bd-{section['id']}")
        row = pairs.loc[anchor, other]
        assert label == other
        assert same(rate, row["bd_rate_percent"])
        assert same(gain, row["bd_metric"])
        assert same(span.split(" to ")[0], row["range_low"])
        assert same(span.split(" to ")[1], row["range_high"])
        assert same(overlap, 100 * row["overlap"])
        assert same(median, row["pictures_median_percent"])
        assert same(won, 100 * row["pictures_won"])
        assert count == f"{row['pictures']} of 5"
        numbers = re.findall(r"[−+]?[\d.]+", mean)
        for printed, column in zip(numbers, ("bd_rate_percent", "low_95", "high_95"), strict=True):
            assert same(printed, matrix.loc[anchor, other][column])
        head, *rows = cells(browser, f"#each-{section['id']} table")
        assert head == ["Picture", other]
        assert len(rows) == 5
        for name, printed in rows:
            assert same(printed, pictures.loc[anchor, name][other])
    points = pd.read_csv(report / "tables/rd-points.csv").set_index("label")
    columns = ["quality", "bpp", "bytes", "mean", "drawn", "n", "n_missing"]
    for label in ("jpeg", SCRIPT):
        read = cells(browser, f"[aria-label={json.dumps(label + ', PSNR on folder:pictures')}] table")[1:]
        known = points.loc[label][columns].to_numpy(dtype=np.float64)
        assert len(read) == len(known)
        assert all(same(text, value) for row, values in zip(read, known, strict=True)
                   for text, value in zip(row, values, strict=True))  # fmt: skip


@pytest.mark.browser
def test_all_against_all_has_intervals_and_sorts(results: Results, browser: Browser, tmp_path: Path) -> None:
    frame = results.frame
    third = frame[frame["label"] == "jpeg"].assign(label="third", bytes=lambda f: f["bytes"] * 4 // 5)
    third["bpp"] *= 0.8
    url = page_of(replace(results, frame=pd.concat([frame, third])), tmp_path)
    id_ = embedded(tmp_path / "index.html")["sections"][0]["id"]
    known: Any = pd.read_csv(tmp_path / "tables/bd-matrix.csv").set_index(["anchor", "label"])
    browser.open(url)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    head, *rows = cells(browser, f"#matrix-{id_}")
    assert head[1:] == [row[0] for row in rows]
    assert set(head[1:]) == {"jpeg", SCRIPT, "third"}
    for anchor, *texts in rows:
        for label, text in zip(head[1:], texts, strict=True):
            columns = ["bd_rate_percent", "low_95", "high_95"]
            expected = [] if label == anchor else known.loc[anchor, label][columns].tolist()
            numbers = re.findall(r"[−+]?[\d.]+", text)
            assert all(same(printed, value) for printed, value in zip(numbers, expected, strict=True))
    browser.js("change({order: 'name', down: 'yes'})")  # one order for every table
    names = ["third", SCRIPT, "jpeg"]
    assert cells(browser, f"#matrix-{id_}")[0][1:] == names
    assert [row[0] for row in cells(browser, f"#matrix-{id_}")[1:]] == names
    assert [row[0] for row in cells(browser, f"#bd-{id_}")[1:]] == [name for name in names if name != "jpeg"]
    assert [row[0] for row in cells(browser, "#summary")[1:]] == names
    browser.js("change({hide: ['third']})")
    assert [len(row) for row in cells(browser, f"#matrix-{id_}")] == [3, 3, 3]
