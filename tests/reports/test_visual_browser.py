"""The visual comparison in headless Chromium: split, pan, zoom, crops, equal rate or quality, the telling pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from chromium import Browser, choose
from hostile_report import SCRIPT, embedded

pytestmark = pytest.mark.browser


def box(browser: Browser, selector: str) -> Any:
    return browser.js(f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
                      "return [b.left, b.top, b.width, b.height]; })()")


def middle(browser: Browser) -> Any:
    """The pixel of the picture in the middle of the stage."""
    return browser.js("(() => { const s = byId('stage').getBoundingClientRect();"
                      "const p = byId('pair').getBoundingClientRect();"
                      "const z = p.width / pictures[state.picture].width;"
                      "return [(s.left + s.width / 2 - p.left) / z, (s.top + s.height / 2 - p.top) / z]; })()")


def test_the_slider_moves_and_f_flickers(report: Path, browser: Browser) -> None:
    browser.open((report / "visual.html").as_uri())
    clip = "document.getElementById('img-b').style.clipPath"
    right = "document.getElementById('img-b')"
    assert browser.js(f"{right}.decode().then(() => {right}.naturalWidth)") == 83
    assert "50%" in browser.js(clip)
    assert box(browser, "#split")[2] == pytest.approx(box(browser, "#stage")[2], abs=1)
    browser.js("document.getElementById('split').focus()")
    choose(browser, "split", "20", "input")
    assert "20%" in browser.js(clip)
    browser.key("f")
    assert "100%" in browser.js(clip)
    browser.key("f")
    assert "20%" not in browser.js(clip)
    choose(browser, "v-zoom", "8", "input")
    assert browser.js("document.getElementById('pair').getBoundingClientRect().width") == 8 * 83
    assert box(browser, "#split")[2] == pytest.approx(box(browser, "#stage")[2], abs=1)
    assert browser.js("document.getElementById('facts-b').innerText").splitlines()[1].endswith("bpp")


def test_zoom_keeps_the_middle_and_a_drag_pans(report: Path, browser: Browser) -> None:
    browser.open((report / "visual.html").as_uri(), 390)
    choose(browser, "v-zoom", "8", "input")
    before = middle(browser)
    left, top, width, height = box(browser, "#stage")
    browser.page.mouse.move(left + width * 0.8, top + height / 2)
    browser.page.mouse.down()
    browser.page.mouse.move(left + width * 0.8 - 80, top + height / 2, steps=4)
    browser.page.mouse.up()
    panned = middle(browser)
    assert panned[0] - before[0] == pytest.approx(10, abs=1)  # 80 screen pixels at 8:1
    assert browser.js("state.split") == 50
    browser.js("byId('stage').focus()")
    browser.key("-")
    assert browser.js("state.zoom") == 4
    assert middle(browser)[1] == pytest.approx(panned[1], abs=1)
    browser.key("+")
    assert middle(browser) == pytest.approx(panned, abs=1)
    browser.page.mouse.move(left + width / 2, top + 20)  # the line is grabbed
    browser.page.mouse.down()
    browser.page.mouse.move(left + width / 4, top + 20)
    browser.page.mouse.up()
    assert browser.js("state.split") == 25


def test_crops_side_by_side_show_one_place(report: Path, browser: Browser) -> None:
    browser.open((report / "visual.html").as_uri())
    for count in ("2", "3", "4"):
        choose(browser, "v-view", count, "input")
        places = browser.js("[...document.querySelectorAll('#crops .pair')].map(p => [p.style.left, p.style.top])")
        assert len(places) == int(count)
        assert len({tuple(place) for place in places}) == 1
    assert browser.js("document.querySelector('#crops figcaption').innerText") == "original"
    words = browser.js("document.querySelectorAll('#crops figcaption')[1].innerText")
    assert words.startswith("jpeg")
    assert "PSNR" in words
    line = browser.js("byId('paper').textContent")
    assert "--format visual --option crop=0,0,0,83,61 --option codecs='jpeg;" in line


def test_equal_quality_is_the_nearest_point(report: Path, browser: Browser) -> None:
    pictures = embedded(report / "visual.html")["pictures"]
    browser.open((report / "visual.html").as_uri())
    choose(browser, "v-match", "PSNR", "input")
    target = float(browser.js("state.target").split()[0])
    facts = browser.js("shotOf('b').facts")
    at_rate = {shot["file"] for shot in pictures[0]["shots"] if shot["match"] == "bpp"}
    assert {shot["file"] for shot in pictures[0]["shots"]} >= at_rate
    psnr = float(next(fact for fact in facts if fact.startswith("PSNR")).split()[1])
    assert abs(psnr - target) < 3
    assert browser.js("byId('v-match').selectedOptions[0].textContent") == "equal PSNR"


def test_the_pictures_that_gain_and_lose_are_one_click_away(report: Path, browser: Browser) -> None:
    table = pd.read_csv(report / "tables/bd-pictures.csv").query("anchor == 'jpeg'").set_index("picture")[SCRIPT]
    browser.open((report / "visual.html").as_uri())
    names = [picture["name"] for picture in embedded(report / "visual.html")["pictures"]]
    assert {table.idxmin(), table.idxmax()} <= set(names)
    browser.js("document.querySelector('details:has(#extremes)').open = true")
    browser.js("document.querySelectorAll('#extremes button')[1].click()")
    assert browser.js("pictures[state.picture].name") == table.idxmax()
    assert browser.js("state.b") == SCRIPT
