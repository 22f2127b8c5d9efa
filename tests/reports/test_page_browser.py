"""The page and the visual comparison of a real run, used as a reader does, in headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import ReportOptions, benchbox_reports
from chromium import Browser, cells, choose
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
    browser.mouse("mouseMoved", x, y)
    told = browser.js(f"document.querySelector('#plot-{section['id']} .tip').innerText").split("\n")
    curve = section["curves"][0]
    assert told == [curve["label"], f"quality {curve['quality'][0]}", f"{curve['bpp'][0]:.3f} bpp",
                    f"PSNR {curve['raw'][0]:.2f} dB", f"{curve['bytes'][0]:,} bytes (mean)"]
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
    assert browser.js(f"document.getElementById('of-{section['id']}').innerText") == f"Shown: {HOSTILE} alone."
    browser.open(url + "#zoom.x=1&anchor=nobody&sort.y=a,b&picture=%00&hide=<b>&at=../..")  # nonsense is left aside
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
def test_tables_sort(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    browser.js("document.querySelectorAll('table.bd .sort')[1].click()")
    assert browser.js("document.querySelectorAll('table.bd th')[1].getAttribute('aria-sort')") == "ascending"
    assert "sort." in browser.js("location.hash")


def same(printed: str, value: float) -> bool:
    """Whether a number on the page is `value` at its printed precision."""
    text = re.split(r"[ %]", printed.replace("−", "-").replace(",", ""))[0]
    if text == "–":
        return bool(np.isnan(value))
    mantissa, _, exponent = text.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(text) - value) <= 0.5000001 * unit


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
    assert head[1:] == [row[0] for row in rows] == ["jpeg", SCRIPT, "third"]
    for anchor, *texts in rows:
        for label, text in zip(head[1:], texts, strict=True):
            columns = ["bd_rate_percent", "low_95", "high_95"]
            expected = [] if label == anchor else known.loc[anchor, label][columns].tolist()
            numbers = re.findall(r"[−+]?[\d.]+", text)
            assert all(same(printed, value) for printed, value in zip(numbers, expected, strict=True))
    for click in (1, 2):
        browser.js(f"document.querySelectorAll('#matrix-{id_} .sort')[1].click()")
        order = [row[0] for row in cells(browser, f"#matrix-{id_}")[1:]]
        column_of = {label: known.loc[label, "jpeg"]["bd_rate_percent"] for label in (SCRIPT, "third")}
        assert order == [*sorted(column_of, key=lambda la: column_of[la], reverse=click == 2), "jpeg"]
    assert f"sort.matrix-{id_}=1%2C-1" in browser.js("location.hash")
    browser.js("change({hide: ['third']})")
    visible = (f"[...document.querySelectorAll('#matrix-{id_} tr')]"
               ".map(r => [...r.cells].filter(c => c.checkVisibility()).length)")
    assert sorted(browser.js(visible)) == [0, 3, 3, 3]


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
    told = browser.js("document.querySelector('#speed [role=status]').textContent")
    assert told == "jpeg, 5.06 MP/s [5.06, 5.06], the anchor"
    choose(browser, "c-side", "decode", "change")
    assert browser.js(front) == f"On the front, fastest first: {SCRIPT}."
    assert browser.js("location.hash") == "#side=decode"
    browser.open(url + "#side=decode&hide=" + quote(SCRIPT))
    assert browser.js(front) == "On the front, fastest first: jpeg."


@pytest.mark.browser
def test_every_control_is_reached_by_tab(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    seen = set()
    for _ in range(80):
        browser.do("Input.dispatchKeyEvent", type="rawKeyDown", key="Tab", windowsVirtualKeyCode=9)
        browser.do("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)
        seen.add(browser.js("document.activeElement.id || document.activeElement.className"))
    assert {"c-picture", "c-anchor", "c-rate", "c-reset", "canvas", "sort", "plain js-only", "plain picture"} <= seen


@pytest.mark.browser
def test_the_slider_moves_and_f_flickers(report: Path, browser: Browser) -> None:
    browser.open((report / "visual.html").as_uri())
    clip = "document.getElementById('img-b').style.clipPath"
    right = "document.getElementById('img-b')"
    assert browser.js(f"{right}.decode().then(() => {right}.naturalWidth)") == 83
    assert "50%" in browser.js(clip)
    browser.js("document.getElementById('split').focus()")
    choose(browser, "split", "20", "input")
    assert "20%" in browser.js(clip)
    browser.key("f")
    assert "100%" in browser.js(clip)
    browser.key("f")
    assert "20%" not in browser.js(clip)
    choose(browser, "v-zoom", "8", "input")
    assert browser.js("document.getElementById('pair').getBoundingClientRect().width") == 8 * 83
    assert browser.js("document.getElementById('told-b').innerText").splitlines()[1].endswith("bpp")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "visual.html"])
@pytest.mark.parametrize(("width", "media"), [(390, ""), (1280, ""), (700, "print")])
def test_nothing_runs_over_the_edge(name: str, width: int, media: str, report: Path, browser: Browser) -> None:
    browser.open((report / name).as_uri(), width, media)
    assert browser.js("document.documentElement.scrollWidth") <= width
    if media == "print" and name == "index.html":
        shown = "getComputedStyle(document.querySelector('{}')).display"
        assert browser.js(shown.format("figure .static")) == "block"
        assert browser.js(shown.format("figure .plot")) == "none"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, brought by npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed here, which brings axe-core (apt install npm)")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core@4.10.3"],
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        pytest.skip(f"npm could not bring axe-core: {done.stderr.strip()[-200:]}")
    return script.read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.parametrize("page", ["index.html", "visual.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: str, scheme: str, axe: str, report: Path, browser: Browser) -> None:
    browser.open((report / page).as_uri())
    browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.js(f"void eval({json.dumps(axe)})")
    run = ("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
           "[v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))")
    found = browser.js(run)
    browser.js("document.querySelector('main, body').append(document.createElement('button'))")  # without a name
    planted = browser.js(run)
    browser.do("Emulation.setEmulatedMedia", features=[])
    assert [one for one in found if one[0] in ("serious", "critical")] == []
    assert "button-name" in [one[1] for one in planted]
