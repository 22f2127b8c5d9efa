"""The page and the visual comparison of a real run, used in headless Chromium as a reader would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import benchbox_reports
from benchbox_reports.kinds import ReportOptions
from chromium import Browser, choose
from hostile_report import HOSTILE, SCRIPT, embedded, page_of

from benchbox.report import Results

CURVES = "document.querySelectorAll('#plot-{id} .curve').length"


@pytest.mark.browser
def test_hover_and_legend(report: Path, browser: Browser) -> None:
    section = embedded(report / "index.html")["sections"][0]
    count = CURVES.format(id=section["id"])
    browser.open((report / "index.html").as_uri())
    assert browser.js(count) == 2
    x, y = browser.js(f"""(() => {{ const host = document.querySelector('#plot-{section["id"]} .canvas');
        host.scrollIntoView({{block: 'center'}}); const box = host.getBoundingClientRect();
        const end = host.querySelector('.curve').getPointAtLength(0); return [box.x + end.x, box.y + end.y]; }})()""")
    browser.page.mouse.move(x, y)
    facts = browser.js(f"document.querySelector('#plot-{section['id']} .tip').innerText").split("\n")
    curve = section["curves"][0]
    lit = "document.querySelector('#curves figure .legend .lit')?.dataset.codec"
    dimmed = f"document.querySelectorAll('#plot-{section['id']} svg.dimmed g.line:not(.lit)').length"
    assert browser.js(lit) == curve["label"]  # the legend says which curve it is
    assert facts == [curve["label"], f"quality {curve['quality'][0]}", f"{curve['bpp'][0]:.3f} bpp",
                    f"PSNR {curve['raw'][0]:.2f} dB", f"{curve['bytes'][0]:,} bytes (mean)"]
    browser.page.mouse.move(1, 1)
    assert browser.js(f"{lit} ?? null") is None
    browser.page.locator("#curves .legend [data-codec]").last.hover()
    assert browser.js(dimmed) > 0
    browser.page.mouse.move(1, 1)
    assert browser.js(dimmed) == 0
    buttons = "[...document.querySelectorAll('.legend button[data-codec]')]"
    browser.js(f"{buttons}.find(b => b.dataset.codec !== 'jpeg').click()")
    assert browser.js(count) == 1
    assert browser.js("new URLSearchParams(location.hash.slice(1)).get('hide')") == SCRIPT
    assert browser.js("document.querySelectorAll('[data-codec][aria-pressed=false]').length") >= 1


@pytest.mark.browser
def test_too_few_pictures_for_an_interval_draw_without_one(
    results: Results, browser: Browser, tmp_path: Path
) -> None:
    few = results.frame[results.frame["sample"].isin(["a.png", "b.png"])]
    page = next(kind for kind in benchbox_reports() if kind.id == "page")
    page.render(replace(results, frame=few), ReportOptions.model_validate({}), tmp_path)
    browser.open((tmp_path / "index.html").as_uri())
    assert browser.js("document.querySelectorAll('path.dots').length") > 0
    assert browser.js("document.querySelectorAll('path.bar').length") == 0


@pytest.mark.browser
def test_a_link_brings_the_view_back(report: Path, browser: Browser) -> None:
    section = embedded(report / "index.html")["sections"][0]
    url = (report / "index.html").as_uri()
    browser.open(url)
    for name, value in (("anchor", SCRIPT), ("picture", HOSTILE), ("rate", "linear")):
        choose(browser, f"c-{name}", value, "change")
    seen = ("[document.querySelector('svg .curve').getAttribute('d'), "
            "document.querySelector('table.bd tbody').innerText]")
    before, link = browser.js(seen), browser.js("location.href")
    browser.open(url)
    assert browser.js(seen) != before
    browser.open(link)
    assert browser.js(seen) == before
    assert browser.js(f"document.getElementById('of-{section['id']}').innerText") == f"{HOSTILE} alone"
    browser.open(url + "#zoom.x=1&anchor=nobody&sort.y=a,b&picture=%00&hide=<b>&at=../..")  # nonsense is ignored
    assert browser.js("state.anchor") == "jpeg"


@pytest.mark.browser
def test_keys_zoom_and_walk(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    browser.js("document.querySelector('.plot .canvas').focus()")
    browser.key("ArrowRight")
    first = browser.js("document.querySelector('.plot [role=status]').textContent")
    browser.key("ArrowRight")
    assert "bpp" in first
    assert browser.js("document.querySelector('.plot [role=status]').textContent") not in ("", first)
    browser.key("+")
    assert "zoom." in browser.js("location.hash")
    browser.key("0")
    assert "zoom." not in browser.js("location.hash")


@pytest.mark.browser
def test_one_data_set_alone(results: Results, browser: Browser, tmp_path: Path) -> None:
    frame = results.frame.assign(dataset=results.frame["dataset"].astype(str))
    both = replace(results, frame=pd.concat([frame.assign(dataset=SCRIPT), frame]))
    browser.open(page_of(both, tmp_path))
    seen = ("[...new Set([...document.querySelectorAll('[data-set]')].filter(p => p.getClientRects().length)"
            ".map(p => p.dataset.set))]")
    assert browser.js(seen) == [SCRIPT, "folder:pictures"]
    choose(browser, "c-data", "folder:pictures", "change")
    assert browser.js(seen) == ["folder:pictures"]
    assert browser.js("new URLSearchParams(location.hash.slice(1)).get('data')") == "folder:pictures"
    assert browser.js("document.querySelectorAll('#c-picture optgroup').length") == 1


@pytest.mark.browser
def test_pictures_that_gain_and_lose(report: Path, browser: Browser) -> None:
    section = embedded(report / "index.html")["sections"][0]
    browser.open((report / "index.html").as_uri())
    table = pd.read_csv(report / "tables/bd-pictures.csv").query("anchor == 'jpeg'").set_index("picture")[SCRIPT]
    ends = f"#ends-{section['id']} td:nth-child({{}}) button span"
    names = "[...document.querySelectorAll('{}')].map(s => s.firstChild.textContent)"
    order = table.sort_values().index.tolist()
    assert browser.js(names.format(ends.format(2))) == order[:2]
    assert browser.js(names.format(ends.format(3))) == order[:-3:-1]
    assert browser.js(f"[...document.querySelectorAll('#ends-{section['id']} img')].every(i => i.naturalWidth > 0)")
    browser.js(f"document.querySelector('#ends-{section['id']} button').click()")
    here = f"document.querySelector('#here-{section['id']} {{}}')"
    assert browser.js(here.format("h4") + ".innerText") == f"PSNR of {order[0]}"
    assert browser.js(here.format("").strip() + ".querySelectorAll('.curve').length") == 2
    assert browser.js("document.getElementById('c-picture').value") == ""  # the other plots do not change
    browser.js(f"document.querySelectorAll('#here-{section['id']} > button')[1].click()")
    assert browser.js("document.getElementById('c-picture').value") == order[0]
    browser.js(f"document.getElementById('each-{section['id']}').open = true")
    browser.js("new Promise(done => setTimeout(done, 50))")  # the event of a fold comes later
    rows = f"[...document.querySelectorAll('#each-{section['id']} tbody th')].map(c => c.innerText.trim())"
    assert browser.js(rows) == order
    browser.js(f"document.querySelectorAll('#each-{section['id']} .sort')[1].click()")
    assert browser.js(rows) == order[::-1]
    assert f"sort.each-{section['id']}=1%2C-1" in browser.js("location.hash")


@pytest.mark.browser
def test_speed_stands_against_bd_rate(results: Results, browser: Browser, tmp_path: Path) -> None:
    jpeg = (results.frame["label"] == "jpeg").to_numpy()
    times: dict[str, Any] = {"timing": "timed", "encode_s": np.where(jpeg, 0.001, 0.01),
                             "decode_s": np.where(jpeg, 0.01, 0.001)}  # fmt: skip
    url = page_of(replace(results, frame=results.frame.assign(**times)), tmp_path)
    browser.open(url)
    front = "document.querySelector('#speed figcaption p').textContent"
    assert browser.js(front) == f"On the front, fastest first: jpeg, {SCRIPT}."
    browser.js("document.querySelector('#speed .canvas').focus()")
    browser.key("ArrowRight")
    facts = browser.js("document.querySelector('#speed .plot [role=status]').textContent")
    assert facts == "jpeg, 5.06 MP/s [5.06, 5.06], the anchor"
    choose(browser, "c-side", "decode", "change")
    assert browser.js(front) == f"On the front, fastest first: {SCRIPT}."
    assert browser.js("location.hash") == "#side=decode"
    browser.open(url + "#side=decode&hide=" + quote(SCRIPT))
    assert browser.js(front) == "On the front, fastest first: jpeg."
