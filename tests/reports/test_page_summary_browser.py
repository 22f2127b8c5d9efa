"""The table at the top of the page: what Python ranks, for each anchor; intervals on demand; one order for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchbox_reports.analysis import Analysis
from benchbox_reports.headline import APART, sentences, summary
from benchbox_reports.pareto import drawn_speeds
from benchbox_reports.speeds import measure_speeds
from chromium import Browser, cells, choose
from crowded import Crowd
from hostile_report import SCRIPT, page_of

from benchbox.report import Results

pytestmark = pytest.mark.browser


def against(analysis: Analysis, anchor: str) -> Analysis:
    """The analysis with another anchor."""
    sections = [replace(s, anchor=anchor, comparisons=s.pairs.against[anchor]) if s.pairs and anchor in s.pairs.labels
                else replace(s, anchor=None, comparisons=()) for s in analysis.sections]
    return replace(analysis, anchor=anchor, sections=tuple(sections))


@pytest.mark.parametrize("anchor", ["jpeg", "webp", "VTM, published", "elic2022, published"])
def test_the_table_and_the_headline_are_those_of_python(anchor: str, crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    choose(browser, "c-anchor", anchor)
    analysis = against(crowd.analysis, anchor)
    heads, groups = summary(analysis, {})
    expected = [["Codec", *heads]]
    for title, rows in groups:
        expected += [[title], *([label, *(text for text, _ in line)] for label, line in rows)] if title else [
            [label, *(text for text, _ in line)] for label, line in rows]
    assert cells(browser, "#summary") == [[text.replace(" ↑", "") for text in row] for row in expected]
    bold = [[label for label, line in groups[0][1] if line[k][1]] for k in range(len(heads))]
    seen = ("[...document.querySelectorAll('#summary tbody tr')].flatMap(r => [...r.querySelectorAll('b')]"
            ".map(b => [r.cells[0].innerText.trim(), b.closest('td').cellIndex]))")
    assert sorted(browser.js(seen)) == sorted([name, k + 1] for k, names in enumerate(bold) for name in names)
    speeds = drawn_speeds(crowd.analysis.results, measure_speeds(crowd.analysis.results, crowd.analysis.labels))
    said = browser.js("[...document.querySelectorAll('#headline p')].map(p => p.textContent)")
    assert [text.replace("\xa0", " ") for text in said] == sentences(crowd.analysis, anchor, speeds)
    assert not any(" %" in text for text in said)  # no line ends before a percent sign
    assert ("by mean curves" in browser.js("byId('summary-of').textContent")) == (anchor in analysis.published)
    assert (APART in browser.js("document.getElementById('summary').innerText")) != (anchor in analysis.published)


def test_published_curves_stay_apart_in_every_order(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    published = {p.curve.label for section in crowd.sections for p in section.published}
    for order in ("", "&order=name", "&order=plan", f"&order={crowd.data['sections'][1]['id']}"):
        for down in ("", "&down=yes"):
            browser.open(f"{crowd.url}#show=all{order}{down}")
            names = [row[0] for row in cells(browser, "#summary")[1:]]
            head = names.index(f"Published curves, {APART}")
            assert not published & set(names[:head])
            assert set(names[head + 1:]) == published
            rows = [row[0] for row in cells(browser, f"#bd-{crowd.data['sections'][0]['id']}")[1:]]
            assert [name in published for name in rows] == sorted(name in published for name in rows)


def test_intervals_on_demand(report: Any, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    assert browser.js("document.querySelectorAll('#summary .interval').length") == 0
    browser.page.get_by_label("show 95 % intervals").check()
    (shown,) = browser.js("[...document.querySelectorAll('#summary .interval')].map(s => s.textContent)")
    assert shown.startswith("[")
    assert browser.js("location.hash") == "#ends=yes"
    choose(browser, "c-picture", "a.png")
    assert browser.js("document.querySelectorAll('#summary .interval').length") == 0  # one picture has none
    assert not browser.js("byId('c-ends').checkVisibility()")


def test_one_sort_and_one_anchor_for_tables_and_dots(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    choose(browser, "c-anchor", "webp")
    id_ = crowd.data["sections"][0]["id"]
    dots = f"memory.get(byId('spread-{id_}')).view.rows"
    for click in (0, 0, 2):  # by name, by name downwards, by the second metric
        browser.js(f"document.querySelectorAll('#summary .sort')[{click}].click()")
        names = [row[0] for row in cells(browser, "#summary")[1:]]
        drawn = browser.js(dots)
        assert drawn == [name for name in names if name in drawn]
        assert len(drawn) > 5
        table = [row[0] for row in cells(browser, f"#bd-{id_}")[1:]]
        assert table == [name for name in names if name in table]
    anchors = browser.js("[...new Set([...document.querySelectorAll('[data-anchor]')].map(e => e.textContent))]")
    assert anchors == ["webp"]
    assert "against webp" in browser.js(f"memory.get(byId('spread-{id_}')).view.x.label")


def test_speeds_stand_in_the_table_and_are_ranked(results: Results, browser: Browser, tmp_path: Any) -> None:
    jpeg = (results.frame["label"] == "jpeg").to_numpy()
    times: dict[str, Any] = {"timing": "timed", "encode_s": np.where(jpeg, 0.001, 0.01), "decode_s": 0.002}
    browser.open(page_of(replace(results, frame=results.frame.assign(**times)), tmp_path))
    head, *rows = cells(browser, "#summary")
    assert head[2:] == ["Encode (MP/s)", "Decode (MP/s)"]
    assert {row[0]: row[2:] for row in rows} == {"jpeg": ["5.06", "2.5"], SCRIPT: ["0.51", "2.5"]}
    best = "[...document.querySelectorAll('#summary td:nth-child(3) b')].map(b => b.textContent)"
    assert browser.js(best) == ["5.06"]
