"""What a reader chooses to see: axes, ranges, pictures by tag; headings that say so; the view as a file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chromium import Browser, cells, choose
from hostile_report import HOSTILE, SCRIPT, embedded, page_of
from PIL import Image
from playwright.sync_api import expect

from benchbox.report import Results

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def timed(results: Results, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Results, str]:
    """(URL, results, id of the section): the run with times, two of its pictures portrait."""
    frame, rng = results.frame, np.random.default_rng(0)
    portrait = frame["sample"].isin(["a.png", "b.png"])
    some: dict[str, Any] = {
        "timing": "timed", "encode_s": rng.uniform(0.01, 0.02, len(frame)),
        "decode_s": rng.uniform(0.001, 0.002, len(frame)),
        "width": frame["width"].where(~portrait, 61), "height": frame["height"].where(~portrait, 83),
    }
    run, out = replace(results, frame=frame.assign(**some)), tmp_path_factory.mktemp("timed")
    return page_of(run, out), run, str(embedded(out / "index.html")["sections"][0]["id"])


def points(browser: Browser, section: str, name: str) -> Any:
    """[x, y] of each point of a curve, as the plot has it."""
    return browser.js(f"memory.get(byId('plot-{section}')).view.lines.find(l => l.name === '{name}')"
                      ".points.map(p => [p.x, p.y])")


def test_any_quantity_on_either_axis(timed: tuple[str, Results, str], browser: Browser) -> None:
    url, run, section = timed
    browser.open(url)
    choose(browser, "c-x", "encode_s")
    choose(browser, "c-y", "bytes")
    rows = run.frame[run.frame["label"] == "jpeg"].groupby("quality")
    known = np.column_stack([rows["encode_s"].median(), rows["bytes"].mean()])
    assert np.array(points(browser, section, "jpeg")) == pytest.approx(known, rel=1e-3)
    assert browser.js(f"byId('what-{section}').textContent") == "Bytes over encoding time on folder:pictures"
    choose(browser, "c-x", "decode_mp_s")
    choose(browser, "c-y", "psnr")
    speed = (run.frame["width"] * run.frame["height"] / 1e6 / run.frame["decode_s"])[run.frame["label"] == "jpeg"]
    expected = speed.groupby(run.frame["quality"]).median().to_numpy()
    assert np.array(points(browser, section, "jpeg"))[:, 0] == pytest.approx(expected, rel=1e-2)
    assert browser.js("location.hash") == "#x=decode_mp_s&y=psnr"


def test_pictures_by_tag_and_words_that_say_so(timed: tuple[str, Results, str], browser: Browser) -> None:
    url, run, section = timed
    browser.open(url)
    assert browser.js(f"byId('of-{section}').textContent") == "mean over 5 pictures"
    choose(browser, "c-tag", "portrait")
    two = run.frame[(run.frame["label"] == "jpeg") & run.frame["sample"].isin(["a.png", "b.png"])].groupby("quality")
    known = np.column_stack([two["bpp"].mean(), two["psnr"].mean()])
    assert np.array(points(browser, section, "jpeg")) == pytest.approx(known, abs=2e-3)
    assert browser.js(f"byId('of-{section}').textContent") == "mean over the 2 pictures that are portrait"
    assert browser.js("byId('headline').hidden")  # it speaks of all pictures
    visible = "[...document.querySelectorAll('.usual')].filter(n => n.checkVisibility()).map(n => n.textContent)"
    assert [note for note in browser.js(visible) if "Means of" in note] == []
    assert "the 2 pictures that are portrait" in browser.js("byId('summary-of').textContent")
    assert browser.js("document.querySelector('.whole').checkVisibility()")  # the tables below are over all, and say so
    rate = next(row[1] for row in cells(browser, "#summary") if row[0] == SCRIPT)
    pictures = pd.read_csv(Path(url.removeprefix("file://")).parent / "tables/bd-pictures.csv")
    own = pictures[(pictures["anchor"] == "jpeg") & pictures["picture"].isin(["a.png", "b.png"])][SCRIPT]
    mean = 100 * (np.exp(np.log1p(own / 100).mean()) - 1)
    assert float(rate.replace("−", "-")) == pytest.approx(mean, abs=0.06)
    choose(browser, "c-picture", HOSTILE)
    assert browser.js("[state.tag, byId('c-tag').value]") == ["", ""]


def test_a_range_is_given_in_numbers(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    section = embedded(report / "index.html")["sections"][0]["id"]
    browser.js("document.querySelector('.ranges').open = true")
    browser.page.get_by_label("Across, from").fill("0.5")
    browser.page.get_by_label("Across, to").fill("2")
    browser.page.get_by_label("Up, from").fill("30")
    browser.page.keyboard.press("Tab")
    x0, x1, y0, y1 = browser.js(f"memory.get(byId('plot-{section}')).shown")
    assert [x0, x1, y0] == [0.5, 2, 30]
    assert y1 > 30
    browser.page.get_by_label("Across, to").fill("0.1")
    browser.page.keyboard.press("Tab")
    assert browser.js("document.querySelector('.ranges output').textContent").startswith("the first number")
    assert browser.js(f"memory.get(byId('plot-{section}')).shown[1]") == 2


def test_the_view_as_svg_png_and_csv(report: Path, browser: Browser, tmp_path: Path) -> None:
    browser.open((report / "index.html").as_uri())
    (section,) = embedded(report / "index.html")["sections"]
    browser.js("document.querySelector('.ranges').open = true")
    files = {}
    for kind in ("SVG", "PNG", "CSV"):
        with browser.page.expect_download() as waiting:
            browser.page.get_by_role("button", name=f"Download as {kind}").click()
        files[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(files[kind])
    rows = list(csv.reader(io.StringIO(files["CSV"].read_text(encoding="utf-8"))))
    assert rows[0] == ["curve", "Rate (bits per pixel)", "PSNR (dB)", "point"]
    assert rows[-1] == ["# PSNR on folder:pictures", " mean over 5 pictures"]
    table = pd.read_csv(report / "tables/rd-points.csv")
    for curve in section["curves"]:
        own = np.array([[float(x), float(y)] for name, x, y, *_ in rows[1:-1] if name == curve["label"]])
        assert own == pytest.approx(table[table["label"] == curve["label"]][["bpp", "drawn"]].to_numpy(), abs=1e-3)
    svg = files["SVG"].read_text(encoding="utf-8")
    assert "var(--" not in svg.replace('style="stroke:var', "")
    assert svg.count('class="curve"') == 0
    assert "jpeg" in svg
    with Image.open(files["PNG"]) as picture:
        assert picture.size == (2000, 1200)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_a_tap_shows_the_tip_and_labels_are_whole(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri(), 390, touch=True)
    section = embedded(report / "index.html")["sections"][0]["id"]
    for end in ("0", "curve.getTotalLength()"):  # left and right in the plot
        x, y = browser.js(f"""(() => {{ const host = document.querySelector('#plot-{section} .canvas');
            host.scrollIntoView({{block: 'center'}}); const box = host.getBoundingClientRect();
            const curve = host.querySelector('.curve'), at = curve.getPointAtLength({end});
            return [box.x + at.x, box.y + at.y]; }})()""")
        browser.page.touchscreen.tap(x, y)
        assert "bpp" in browser.js(f"document.querySelector('#plot-{section} .tip').innerText")
        tip, plot = (browser.js(f"(() => {{ const b = document.querySelector('#plot-{section} {part}')"
                                ".getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })()")
                     for part in (".tip", ".canvas"))  # fmt: skip
        assert plot[0] - 1 <= tip[0] < tip[2] <= plot[2] + 1
        assert tip[0] - 20 < x < tip[2] + 20
        assert tip[1] - 20 < y < tip[3] + 20
    names = browser.js(f"[...document.querySelectorAll('#spread-{section} svg > text')].map(t => t.textContent)")
    assert SCRIPT in names
    moved = browser.js("""[...document.querySelectorAll('.scroll table')].filter(t => t.checkVisibility()).map(t => {
        const box = t.closest('.scroll'), head = t.tHead.rows[0].cells, name = t.tBodies[0].rows[0].cells[0];
        const at = e => [e.getBoundingClientRect().left, e.getBoundingClientRect().top];
        box.style.maxHeight = '90px';
        const before = [at(name)[0], at(head[0]), at(head[1])];
        box.scrollTo(60, 40);
        const after = [at(name)[0], at(head[0]), at(head[1])];
        return [box.scrollLeft, box.scrollTop, before[0] - after[0], before[1][0] - after[1][0],
          before[1][1] - after[1][1], before[2][0] - after[2][0], before[2][1] - after[2][1]]; })""")
    assert max(across for across, *_ in moved) == 60
    assert max(down for _, down, *_ in moved) == 40
    for across, _, name, corner_across, corner_down, head_across, head_down in moved:  # what stays and what goes along
        assert (name, corner_across, corner_down, head_across, head_down) == pytest.approx((0, 0, 0, across, 0), abs=1)


def test_a_line_that_reproduces_is_copied(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    labels = [row[0] for row in cells(browser, "#codecs table")[1:]]
    assert labels == ["jpeg", SCRIPT]
    for k, codec in enumerate(["jpeg", "webp"]):
        button = f"document.querySelectorAll('#codecs .copy')[{k}]"
        browser.js(f"{button}.click()")
        expect(browser.page.locator("#codecs .copy").nth(k)).to_have_text("Copied")
        line = browser.js(f"{button}.dataset.copy")
        assert line.startswith(f"benchbox encode PICTURE.png --codec {codec}:")  # with every option of the run
        assert line.endswith(" --quality 50 --output stream.bin")
        browser.js("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
        browser.js("document.getElementById('pasted').focus()")
        browser.key("Control+v")
        assert browser.js("document.getElementById('pasted').value") == line
        browser.js("document.getElementById('pasted').remove()")
