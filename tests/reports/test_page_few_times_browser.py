"""A page over two data sets, of which one is timed on every picture and the other on some, in a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import figures
from chromium import Browser
from hostile_report import page_of

from benchbox.report import Results

pytestmark = pytest.mark.browser
TIMED = ("a.png", "b.png")
UPRIGHT = ("c.png", "d.png")


@pytest.fixture(scope="module")
def page(results: Results, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The data set "some" is timed on `TIMED` at three qualities, "whole" on all; both have the same pictures, of which
    `UPRIGHT` are taken as portraits."""
    frame = results.frame.assign(timing="timed", dataset="whole")
    few = frame["sample"].isin(TIMED) & frame["quality"].isin([30, 50, 70])
    some = frame.assign(dataset="some", timing=np.where(few, "timed", "indicative"))
    both = pd.concat([some, frame], ignore_index=True)
    upright = both["sample"].isin(UPRIGHT)
    both = both.assign(width=both["width"].where(~upright, both["height"]),
                       height=both["height"].where(~upright, both["width"]))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        return page_of(replace(results, frame=both), tmp_path_factory.mktemp("page"))


def shown(browser: Browser, dataset: str) -> tuple[str, Any]:
    """(heading, counts): the heading of a data set's figure, and the points of each line, or the words
    in place of lines."""
    id_ = browser.js(f"DATA.sections.find(s => s.dataset === '{dataset}').id")
    points = browser.js(f"memory.get(byId('plot-{id_}')).view.lines.map(l => l.points.length)")
    empty = browser.js(f"document.querySelector('#plot-{id_} .empty')?.textContent ?? ''")
    return browser.js(f"byId('of-{id_}').textContent"), empty or points


def test_each_data_set_says_what_its_times_are_over(page: str, browser: Browser) -> None:
    browser.open(page + "#x=encode_s")
    assert shown(browser, "some") == ("mean over 5 pictures (times: 2 of 5 pictures)", [3, 3])
    assert shown(browser, "whole") == ("mean over 5 pictures", [5, 5])
    assert "operating points (some: 2 of 5 pictures); with" in browser.js("byId('summary-of').textContent")
    browser.open(page + "#data=whole")
    assert "operating points; with" in browser.js("byId('summary-of').textContent")


@pytest.mark.parametrize(("choice", "said", "lines"), [
    ("tag=landscape", "mean over the 3 pictures that are landscape (times: 2 of 3 pictures)", [3, 3]),
    ("tag=portrait", "mean over the 2 pictures that are portrait (times: 0 of 2 pictures)", "no curve is shown"),
    ("picture=c.png", "c.png alone (times: 0 of 1 picture)", "no curve is shown"),
])  # fmt: skip
def test_times_are_those_of_the_chosen_pictures(
    page: str, browser: Browser, tmp_path: Path, choice: str, said: str, lines: Any
) -> None:
    browser.open(f"{page}#x=encode_s&{choice}")
    assert shown(browser, "some") == (said, lines)
    assert "times" not in shown(browser, "whole")[0]
    browser.js("document.querySelector('.ranges').open = true")
    with browser.page.expect_download() as download:
        browser.page.get_by_role("button", name="Download as CSV").first.click()
    download.value.save_as(tmp_path / "view.csv")
    head, *rows, note = (tmp_path / "view.csv").read_text(encoding="utf-8").splitlines()
    assert head.startswith("curve,Encoding time")
    assert len(rows) == (0 if isinstance(lines, str) else sum(lines))
    assert note.endswith(said)
