"""Page and visual comparison in headless Chromium: reached by keys, legible at every width, no objection from axe."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from chromium import Browser


@pytest.mark.browser
def test_every_control_is_reached_by_tab(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    seen = set()
    for _ in range(120):
        browser.key("Tab")
        seen.add(browser.js("document.activeElement.id || document.activeElement.className"))
    assert {"c-picture", "c-anchor", "c-rate", "c-reset", "c-view", "c-x", "canvas", "sort", "plain js-only",
            "plain picture"} <= seen


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "visual.html"])
@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (820, "screen"), (1440, "screen"), (700, "print")])
def test_nothing_runs_over_the_edge(name: str, width: int, media: str, report: Path, browser: Browser) -> None:
    browser.open((report / name).as_uri(), width, media)
    assert browser.js("document.documentElement.scrollWidth") <= width
    if media == "print" and name == "index.html":
        shown = "getComputedStyle(document.querySelector('{}')).display"
        assert browser.js(shown.format("figure .plot")) == "block"
        assert browser.js(shown.format("form.controls")) == "none"


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
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "light"), (820, "dark"), (700, "print")])
def test_axe_finds_nothing(page: str, width: int, scheme: str, axe: str, report: Path, browser: Browser) -> None:
    media = ("print", "light") if scheme == "print" else ("screen", scheme)
    browser.open((report / page).as_uri(), width, *media)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.page.evaluate(axe)
    run = ("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
           "[v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))")
    found = browser.js(run)
    browser.js("document.querySelector('main, body').append(document.createElement('button'))")  # without a name
    planted = browser.js(run)
    assert found == []
    assert "button-name" in [one[1] for one in planted]
