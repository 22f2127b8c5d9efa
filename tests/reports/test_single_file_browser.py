"""A page as one file, alone in a folder: figures, tables, pictures and slider live in it; it asks for nothing else."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from benchbox_reports import figures, page
from benchbox_reports.kinds import ReportOptions
from chromium import Browser
from hostile_report import SCRIPT
from PIL import Image

from benchbox.report import Results

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def alone(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, moved away from all that was written with it."""
    made, mailed = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("mailed")
    options = ReportOptions.model_validate({"single_file": True, "bpp": "0.5,1.5", "pictures": 2})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ("png",))
        page.render(results, options, made)
    shutil.copy(made / "index.html", mailed / "report.html")
    shutil.rmtree(made)
    return mailed / "report.html"


def test_the_pictures_live_inside(alone: Path, browser: Browser) -> None:
    asked: list[str] = []
    browser.page.context.on("request", lambda request: asked.append(request.url))
    browser.open(alone.as_uri())
    with browser.page.expect_popup() as waiting:
        browser.page.get_by_role("button", name="Look at the pictures").click()
    pictures = waiting.value
    pictures.on("console", lambda message: browser.troubles.append(message.text))
    pictures.on("pageerror", lambda error: browser.troubles.append(str(error)))
    pictures.wait_for_load_state()
    assert pictures.url.startswith("blob:")
    for view in ("split", "4"):
        pictures.select_option("#v-view", view)
        drawn = pictures.evaluate("Promise.all([...document.images].filter(i => i.checkVisibility()).map("
                                  "i => i.decode().then(() => [i.naturalWidth, i.src.slice(0, 10)])))")
        assert len(drawn) == (2 if view == "split" else 4)
        assert {tuple(one) for one in drawn} == {(83, "blob:null/")}
    pictures.select_option("#v-view", "split")
    clip = "document.getElementById('img-b').style.clipPath"
    pictures.locator("#split").focus()
    before = pictures.evaluate(clip)
    pictures.keyboard.press("ArrowLeft")
    assert pictures.evaluate(clip) != before
    pictures.locator("#stage").click(position={"x": 20, "y": 20})
    assert pictures.evaluate("state.split") < 40
    pictures.select_option("#v-match", "PSNR")
    pictures.select_option("#v-a", SCRIPT)
    assert pictures.evaluate("document.getElementById('img-a').decode().then(() => true)")
    links = pictures.evaluate("[...document.querySelectorAll('a[href]')].map(a => [a.checkVisibility(), "
                              "a.getAttribute('href').slice(0, 5), a.download])")
    assert len(links) > 10
    assert all(href == "#held" and name for visible, href, name in links if visible)
    for name, act in (("original", "click"), ("decoded", "press"), ("PNG", "click")):
        link = pictures.get_by_role("link", name=name).first
        with pictures.expect_download() as saved:
            link.press("Enter") if act == "press" else link.click()
        with Image.open(saved.value.path()) as file:
            assert (file.size == (83, 61)) is (name != "PNG")
    assert [url for url in asked if not url.startswith((alone.as_uri(), "data:", "blob:"))] == []


def test_each_file_is_inside_once(alone: Path) -> None:
    text = alone.read_text(encoding="utf-8")
    once = re.findall(r'id=\\"held-(\w+)\\"\\u003e([\w+/=]+)', text)
    shown = set(re.findall(r"#held-(\w{24})", text))
    assert shown == {name for name, _ in once}
    assert len(shown) == len(once) == len({content for _, content in once})
    assert text.count("#held-") > 3 * len(once)
    for name, content in once:
        assert sha256(b64decode(content)).hexdigest().startswith(name)
    assert "image/webp;base64" not in text.partition('id="visual-page"')[2]


def test_pictures_are_printed(alone: Path, browser: Browser) -> None:
    browser.open(alone.as_uri())
    with browser.page.expect_popup() as waiting:
        browser.page.get_by_role("button", name="Look at the pictures").click()
    pictures = waiting.value
    pictures.wait_for_load_state()
    pictures.evaluate("Promise.all([...document.images].filter(i => i.checkVisibility()).map(i => i.decode()))")
    assert b"/Subtype /Image" in pictures.pdf()


def test_figures_and_tables_live_inside(alone: Path, browser: Browser, tmp_path: Path) -> None:
    browser.open(alone.as_uri())
    for name, start in (("bd.csv", b"dataset,"), ("PNG", b"\x89PNG")):
        with browser.page.expect_download() as waiting:
            browser.page.get_by_role("link", name=name, exact=True).first.click()
        waiting.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(start)
    outside = browser.js("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"
                         ".filter(h => !h.startsWith('#') && !h.startsWith('data:'))")
    assert outside == []
    assert browser.js("document.querySelectorAll('#curves .plot .curve').length") == 2
