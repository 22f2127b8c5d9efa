"""A page with the published evaluation's many curves: which are shown, how they part, how one is followed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from chromium import Browser
from crowded import HIGHLIGHT, LITERATURE, Crowd

from benchbox.curves import percent

pytestmark = pytest.mark.browser


def shown(browser: Browser, section: str) -> list[str]:
    """The names of the curves that a figure draws."""
    names = f"[...document.querySelectorAll('#plot-{section} g.line:not(.end)')].map(g => g.dataset.name)"
    return [str(name) for name in browser.js(names)]


def test_the_best_of_each_family_and_what_was_asked_for_is_shown_at_first(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    for section, data in zip(crowd.sections, crowd.data["sections"], strict=True):
        published = {curve["label"] for curve in data["published"]}
        assert len(published) >= len(LITERATURE) - 1  # one has no MS-SSIM
        assert {*published, HIGHLIGHT} <= set(shown(browser, data["id"]))  # the highlighted one is not the best
        best = set(shown(browser, data["id"])) - {*published, HIGHLIGHT, "jpeg"}
        assert len({family(crowd, name) for name in best}) == len(best) == 9
        assert section.pairs is not None
        for name in best:
            rivals = [c.label for c in section.drawable if family(crowd, c.label) == family(crowd, name)]
            pictures = section.pairs.pictures
            means = {rival: pictures.means[pictures.labels.index("jpeg"), pictures.labels.index(rival)]
                     for rival in rivals}
            assert min(means, key=lambda label: means[label]) == name
    browser.js("document.getElementById('c-all').click()")
    first = crowd.data["sections"][0]
    assert len(shown(browser, first["id"])) == len(first["curves"]) + len(first["published"]) == 26
    assert browser.js("location.hash") == "#show=all"
    dashes = {crowd.data["looks"][p["label"]][2] for p in first["published"]}
    assert len(dashes) == len(first["published"]) == 6
    without_colour = {tuple(crowd.data["looks"][name][1:3]) for name in shown(browser, first["id"])}
    assert len(without_colour) == 26  # marker and dashes: they part in greyscale and for every eye


def family(crowd: Crowd, name: str) -> str:
    return str(crowd.data["looks"][name][4])


def test_an_entry_dims_the_rest_and_isolates(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    id_ = crowd.data["sections"][0]["id"]
    entry = "[...document.querySelectorAll('#curves figure [data-codec]')].find(b => b.dataset.codec === '{}')"
    before = shown(browser, id_)
    browser.js(f"{entry.format('webp')}.focus()")
    assert browser.js(f"document.querySelectorAll('#plot-{id_} svg.dimmed g.lit .curve').length") == 1
    faded = f"getComputedStyle(document.querySelector('#plot-{id_} g.line:not(.lit)')).opacity"
    assert float(browser.js(faded)) < 0.2
    browser.page.keyboard.press("Shift+Enter")
    assert shown(browser, id_) == ["webp"]
    assert browser.js("location.hash") == "#only=webp"  # short, though 25 are hidden
    browser.page.keyboard.press("Shift+Enter")
    assert shown(browser, id_) == before
    browser.page.locator("#curves figure [data-codec='webp']").first.dblclick()
    assert shown(browser, id_) == ["webp"]
    browser.js(f"{entry.format('webp')}.blur()")
    assert browser.js("document.querySelectorAll('svg.dimmed').length") == 0


def test_nothing_stays_hidden_once_all_are_shown_one_by_one(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    browser.js("document.getElementById('c-none').click()")
    id_ = crowd.data["sections"][0]["id"]
    assert shown(browser, id_) == []
    assert browser.js(f"document.querySelector('#plot-{id_} .empty').textContent") == "no curve is shown"
    browser.js("(() => { for (const name of DATA.names) [...document.querySelectorAll('[data-codec]')]"
               ".find(b => b.dataset.codec === name).click(); })()")
    assert browser.js("state.hide") == []
    assert browser.js("document.getElementById('c-count').textContent") == "all shown"


def test_names_at_the_ends_do_not_overlap(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url, 1440)
    browser.js(f"document.querySelector('#curves [data-codec={HIGHLIGHT}]').click()")  # with more, none has one
    for data in crowd.data["sections"]:
        boxes = browser.js(f"[...document.querySelectorAll('#plot-{data['id']} g.end text')].map(t => "
                           "{ const b = t.getBoundingClientRect(); return [b.top, b.bottom, b.right]; })")
        assert len(boxes) == len(shown(browser, data["id"])) >= 15
        boxes.sort()
        assert all(a[1] <= b[0] + 3 for a, b in pairwise(boxes))
        right = browser.js(f"document.querySelector('#plot-{data['id']} svg').getBoundingClientRect().right")
        assert all(box[2] <= right + 1 for box in boxes)
        beside = browser.js(f"(() => {{ const f = document.getElementById('plot-{data['id']}').closest('figure');"
                            "return [f.querySelector('.legend').getBoundingClientRect().left,"
                            "f.querySelector('.plot').getBoundingClientRect().right,"
                            "getComputedStyle(f.querySelector('.legend')).position]; })()")
        assert beside[0] >= beside[1]
        assert beside[2] == "sticky"


def test_a_printed_page_is_short_and_has_its_plots(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url, media="print")
    margin: Any = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    assert browser.page.pdf(format="A4", margin=margin).count(b"/Type /Page\n") <= 6
    visible = "[...document.querySelectorAll('{}')].filter(e => e.checkVisibility()).length"
    assert browser.js(visible.format("#curves .plot svg")) == browser.js(visible.format("#pictures .plot svg")) == 2
    assert browser.js(visible.format("pre, #environment dl, form")) == 0
    browser.page.set_viewport_size({"width": 1280, "height": 300})  # as if the page were lower than its tables
    cut = "[...document.querySelectorAll('.scroll')].filter(s => s.scrollHeight > s.clientHeight).map(s => s.ariaLabel)"
    assert browser.js(cut) == []  # paper does not scroll


def test_the_published_page_prints_on_six_pages(published_page: str, browser: Browser) -> None:
    browser.open(published_page, media="print")
    margin: Any = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    assert browser.page.pdf(format="A4", margin=margin).count(b"/Type /Page\n") <= 6
    visible = "[...document.querySelectorAll('{}')].filter(e => e.checkVisibility()).length"
    metrics = len(browser.js("Object.keys(DATA.metrics)"))
    assert metrics == browser.js(visible.format("#curves .plot svg")) >= 8
    for part in ("#bd table.bd", "#pictures .plot svg", "#speed .plot svg"):  # in full of the first two metrics
        assert browser.js(visible.format(part)) == 2
    assert browser.js(visible.format("#summary tbody tr")) > 28
    less = browser.js("document.querySelector('#bd .only-on-paper').innerText")
    assert all(metric in less for metric in ("SSIM", "SSIMULACRA 2", "Butteraugli", "VMAF", "PSNR-HVS", "LPIPS"))


def test_times_of_some_pictures_say_so(published_page: str, browser: Browser) -> None:
    browser.open(published_page + "#x=encode_s", 1440)
    few = browser.js("DATA.datasets[0].timed")
    assert few == "2 of 24 pictures"
    for words in ("document.querySelector('#curves h3').innerText", "byId('summary-of').innerText",
                  "byId('headline').innerText", "byId('speed').innerText"):
        assert few in browser.js(words)
    lines = browser.js("memory.get(byId(`plot-${DATA.sections[0].id}`)).view.lines.map(l => l.points.length)")
    assert set(lines) == {3}


def test_saved_bits_are_those_of_python(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url + "#view=saved&show=all")
    for section, data in zip(crowd.sections, crowd.data["sections"], strict=True):
        lines = browser.js(f"memory.get(byId('plot-{data['id']}')).view.lines.map(l => [l.name, l.points.map(p => p.x),"
                           " l.points.map(p => p.y)])")
        assert section.pairs is not None
        labels = section.pairs.labels
        assert len(lines) == len(labels) - 1
        for name, xs, ys in lines:
            ratios = section.pairs.rates.log_ratios(labels.index("jpeg"), labels.index(name), np.array(xs))
            inside = np.isfinite(ratios)
            assert inside.sum() >= 40 or not inside.any()
            assert np.array(ys)[inside] == pytest.approx(percent(ratios[inside]), abs=0.05)
        assert browser.js(f"byId('what-{data['id']}').textContent").startswith("Bits against jpeg over")
        assert browser.js(f"document.querySelectorAll('#plot-{data['id']} .zero').length") == 1


@pytest.mark.parametrize("view", ["#show=all", "#view=saved&show=all", "#rate=linear&show=all"])
def test_neighbours_part_without_colour(view: str, crowd: Crowd, browser: Browser) -> None:
    """As drawn: two curves that are next to each other anywhere differ in dashes or marker, so that they part in
    greyscale and for every kind of colour blindness."""
    browser.open(crowd.url + view)
    for data in crowd.data["sections"]:
        drawn = browser.js(f"""(() => {{ const plot = memory.get(byId('plot-{data["id"]}'));
            return plot.view.lines.map((line, k) => {{ const group = plot.svg.querySelectorAll('g.line')[k];
              const marker = group.querySelector('marker path'), curve = group.querySelector('.curve');
              return [line.name, getComputedStyle(curve).strokeDasharray, marker ? marker.getAttribute('d') : '',
                line.points.map(p => [plot.x.at(p.x), plot.y.at(p.y)])]; }}); }})()""")
        looks = {name: (dashes, marker) for name, dashes, marker, _ in drawn}
        assert len(looks) == len(drawn) > 20
        pairs = set()
        for x in np.linspace(60, 900, 200):
            heights = sorted((np.interp(x, *np.array(sorted(points)).T), name) for name, *_, points in drawn
                             if min(p[0] for p in points) <= x <= max(p[0] for p in points))
            pairs |= {(one[1], other[1]) for one, other in pairwise(heights)}
        assert len(pairs) > 30
        assert [pair for pair in pairs if looks[pair[0]] == looks[pair[1]]] == []
