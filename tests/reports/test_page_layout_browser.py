"""What is drawn can be read at every width and in print: no text over another, none cut, no column empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chromium import Browser, cells, choose
from crowded import Crowd
from hostile_report import embedded

pytestmark = pytest.mark.browser
WIDTHS = [(1440, "screen"), (820, "screen"), (390, "screen"), (700, "print")]

TEXTS = """[...document.querySelectorAll('.plot svg')].filter(s => s.checkVisibility()).map(svg => {
  const frame = svg.getBoundingClientRect(), canvas = svg.parentElement.getBoundingClientRect();
  return {id: svg.closest('.plot').id, frame: [canvas.left, canvas.top, canvas.right, canvas.bottom],
    texts: [...svg.querySelectorAll('text')].filter(t => !t.closest('g[clip-path]')).map(t => {
      const b = t.getBoundingClientRect(); return [t.textContent, b.left, b.top, b.right, b.bottom]; })};
})"""


def trouble(plots: list[Any]) -> list[str]:
    """Texts that touch another by more than a pixel, or leave their plot."""
    found = []
    for plot in plots:
        x0, y0, x1, y1 = plot["frame"]
        texts = plot["texts"]
        for k, (text, left, top, right, bottom) in enumerate(texts):
            if left < x0 - 1 or top < y0 - 1 or right > x1 + 1 or bottom > y1 + 1:
                found.append(f"{plot['id']}: {text!r} is cut")
            found += [f"{plot['id']}: {text!r} lies over {other[0]!r}" for other in texts[:k]
                      if left < other[3] - 1 and other[1] < right - 1 and top < other[4] - 3 and other[2] < bottom - 3]
    return found


@pytest.mark.parametrize(("width", "media"), WIDTHS)
def test_no_text_of_a_plot_touches_another_or_is_cut(width: int, media: str, crowd: Crowd, browser: Browser) -> None:
    for view in ("", "#view=saved&show=all", "#x=psnr&y=bpp", "#rate=linear&show=all"):
        browser.open(crowd.url + view, width, media)
        plots = browser.js(TEXTS)
        assert len([plot for plot in plots if len(plot["texts"]) > 5]) >= 2
        assert trouble(plots) == [], view
        assert width < 1440 or not [text for plot in plots for text, *_ in plot["texts"] if "…" in text]


@pytest.mark.parametrize(("width", "media"), WIDTHS)
def test_so_it_is_on_a_small_page(width: int, media: str, report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri(), width, media)
    assert trouble(browser.js(TEXTS)) == []
    browser.js("change({here: `${DATA.sections[0].id}/a.png`})")
    assert trouble(browser.js(TEXTS)) == []


@pytest.mark.parametrize(("width", "media"), WIDTHS)
def test_names_of_codecs_are_not_broken_into_letters(width: int, media: str, crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url, width, media)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    words = browser.js("""[...document.querySelectorAll('tbody th[scope=row], .legend span:not(.static)')]
      .filter(t => t.checkVisibility()).flatMap(t => {
        const walk = document.createTreeWalker(t, NodeFilter.SHOW_TEXT), found = [];
        for (let text = walk.nextNode(); text; text = walk.nextNode()) {
          for (const word of text.data.matchAll(/[^\\s-]+/g)) {
            const range = document.createRange(); range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            found.push([word[0], range.getClientRects().length]);
          }
        }
        return found; })""")
    assert len(words) > 100
    assert {word for word, lines in words if lines > 1} == set()


CUT = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('svg')
  && !e.closest('.visually-hidden')).filter(e => {
    const style = getComputedStyle(e), hides = style.overflowX === 'hidden' || style.overflowX === 'clip';
    if (e.tagName === 'SELECT') {
      const wide = e.cloneNode(true);
      [...wide.options].forEach((o, k) => { if (k !== e.selectedIndex) o.remove(); });
      wide.style.maxWidth = 'none'; wide.style.position = 'absolute'; e.after(wide);
      const needs = wide.getBoundingClientRect().width; wide.remove();
      return needs > e.getBoundingClientRect().width + 1;
    }
    return hides && e.textContent && e.scrollWidth > e.clientWidth + 1;
  }).map(e => [e.tagName, e.id, e.className, e.textContent.slice(0, 40)])"""

UNDER = """[...document.querySelectorAll('.tools:not(:empty)')].filter(t => t.checkVisibility()).filter(tools => {
  const range = document.createRange(); range.selectNodeContents(tools.closest('figure').querySelector('h3'));
  const words = [...range.getClientRects()], boxes = [...tools.children].map(b => b.getBoundingClientRect());
  return boxes.some(b => words.some(w => w.left < b.right && b.left < w.right && w.top < b.bottom && b.top < w.bottom));
}).map(t => t.closest('figure').querySelector('h3').innerText)"""

BROKEN = """[...document.querySelectorAll('.settings code')].flatMap(code => {
  const walk = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), found = [];
  const parts = (text) => text.data.matchAll(/(?:--)?[^\\s,-]+/g);
  for (let text = walk.nextNode(); text; text = walk.nextNode()) for (const part of parts(text)) {
    const range = document.createRange(); range.setStart(text, part.index);
    range.setEnd(text, part.index + part[0].length);
    if (range.getClientRects().length > 1) found.push(part[0]);
  }
  return found; })"""

OVER = """DATA.sections.flatMap(section => {
  const plot = memory.get(byId(`spread-${section.id}`)), at = plot.canvas.getBoundingClientRect();
  const names = [...plot.svg.querySelectorAll(':scope > text')].filter(t => DATA.labels.includes(t.textContent));
  const dots = plot.view.lines.filter(l => l.dots).flatMap(l => l.points.map(p =>
    [at.left + plot.x.at(p.x), at.top + plot.y.at(p.y)]));
  return names.filter(t => { const b = t.getBoundingClientRect(); return dots.some(([x, y]) =>
    x > b.left - 3 && x < b.right + 3 && y > b.top - 1 && y < b.bottom + 1); }).map(t => t.textContent); })"""


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_nothing_that_is_read_is_cut_or_covered(width: int, crowd: Crowd, browser: Browser) -> None:
    """In each view: no control, name of a picture or heading is shortened, covered, or broken inside a word."""
    for view in ("", "#view=saved&ends=yes", "#x=psnr&y=bpp&anchor=bmshj2018-hyperprior%2C+published"):
        browser.open(crowd.url + view, width)
        browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        for what in (CUT, UNDER, BROKEN):
            assert browser.js(what) == [], (view, what[:40])
        if "published" not in view:
            assert browser.js(OVER) == [], view
            shares = browser.js("[...memory.values()].filter(p => p instanceof Plot && p.view.rows)"
                                ".map(p => (p.box.x1 - p.box.x0) / p.width)")
            assert len(shares) == 2
            assert min(shares) > 0.5  # names leave the dots room
            assert browser.js("document.querySelectorAll('.strip span').length") > 20
    assert browser.js("[...new Set([...document.querySelectorAll('svg.swatch')].filter(s => s.checkVisibility())"
                      ".map(s => Math.round(s.getBoundingClientRect().width)))]") == [36]  # dashes as they are drawn
    assert browser.js("[...document.querySelectorAll('.settings code')].map(c => c.textContent)") == browser.js(
        "[...document.querySelectorAll('[data-copy]')].map(b => b.dataset.copy)")


def test_a_part_without_figures_says_why(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    seen = "[...document.querySelectorAll('#pictures .note')].filter(n => n.checkVisibility()).map(n => n.textContent)"
    assert "Choose a dot" in browser.js(seen)[0]
    choose(browser, "c-anchor", "VTM, published")
    assert browser.js(seen) == ["VTM, published has no single pictures to compare with: choose an anchor that was "
                                "measured here."]
    choose(browser, "c-anchor", "jpeg")
    browser.js("document.getElementById('c-none').click()")
    assert browser.js(seen) == ["All codecs that could be compared are hidden."]


def test_a_print_is_drawn_for_paper(crowd: Crowd, browser: Browser) -> None:
    """From a wide window too: texts of plots are as large on paper as they are made, 12.5 pixels, or nearly so."""
    browser.open(crowd.url, 1440)
    browser.js("""window.addEventListener('beforeprint', () => { window.drawn = [...document.querySelectorAll(
      '.plot svg')].map(s => [s.closest('.curves') ? 700 : 340, Number(s.getAttribute('width')),
      Number(s.getAttribute('height'))]).filter(d => d[1]); })""")
    screen = "[...document.querySelectorAll('.plot svg')].map(s => s.outerHTML)"
    before = browser.js(screen)
    browser.page.pdf(format="A4")
    drawn = browser.js("window.drawn")
    assert len(drawn) == 4
    assert all(width == column and height <= 620 for column, width, height in drawn)
    assert browser.js(screen) == before


def test_a_plot_takes_its_room_and_stays_dimmed(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url, 1440)
    id_ = crowd.data["sections"][0]["id"]
    browser.js(f"change({{here: '{id_}/kodim01.png'}})")
    wide = f"document.querySelector('#{{}}-{id_} .canvas').clientWidth"
    assert browser.js(wide.format("one")) == browser.js(wide.format("spread"))  # no picture stands beside it
    browser.js("document.querySelector('#curves [data-codec=webp]').focus()")
    browser.page.set_viewport_size({"width": 1000, "height": 900})
    browser.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert browser.js(f"document.querySelectorAll('#plot-{id_} svg.dimmed g.lit .curve').length") == 1
    assert browser.js(f"document.querySelector('#plot-{id_} svg').getBoundingClientRect().width") < 900


@pytest.mark.parametrize("anchor", ["jpeg", "VTM, published", "elic2022, published"])
def test_no_column_is_empty(anchor: str, crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url)
    choose(browser, "c-anchor", anchor)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    empty = browser.js("""[...document.querySelectorAll('table')]
        .filter(t => t.checkVisibility() && t.tBodies[0]?.rows.length).flatMap(t => [...t.tHead.rows[0].cells]
        .map((head, k) => [t.id, head.innerText, head.checkVisibility() && [...t.tBodies[0].rows].every(
          r => !r.cells[k] || ['', '\\u2013'].includes(r.cells[k].innerText.trim()))]))
        .filter(([, , is]) => is)""")
    assert empty == []


def test_columns_hold_their_decimals_below_each_other(crowd: Crowd, browser: Browser) -> None:
    """The last digit of the first number of each cell stands at one place."""
    browser.open(crowd.url)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    section = crowd.data["sections"][0]["id"]
    for table, columns in (("#summary", (1, 2)), (f"#bd-{section}", (1, 5, 6))):
        for column in columns:
            cell = f"{table} tbody td:nth-child({column + 1})"
            ends = browser.js(f"""[...document.querySelectorAll('{cell}')].map(td => {{
                const text = document.createTreeWalker(td, NodeFilter.SHOW_TEXT).nextNode();
                const found = text && text.data.match(/[\\d.]+/); if (!found) return null;
                const range = document.createRange(); range.setStart(text, found.index);
                range.setEnd(text, found.index + found[0].length);
                return range.getBoundingClientRect().right; }}).filter(x => x !== null)""")
            assert len(ends) > 10
            assert max(ends) - min(ends) < 7, (table, column)  # a sign more or less, and bold digits


def test_a_dot_shows_its_picture_where_the_reader_is(report: Path, browser: Browser) -> None:
    browser.open((report / "index.html").as_uri())
    id_ = embedded(report / "index.html")["sections"][0]["id"]
    x, y, name = browser.js(f"""(() => {{ const plot = memory.get(byId('spread-{id_}'));
        const line = plot.view.lines.find(l => l.dots), point = line.points.reduce((a, b) => a.x < b.x ? a : b);
        plot.canvas.scrollIntoView({{block: 'center'}}); const box = plot.canvas.getBoundingClientRect();
        return [box.x + plot.x.at(point.x), box.y + plot.y.at(point.y), point.picture]; }})()""")
    top = f"document.querySelector('#spread-{id_} .canvas').getBoundingClientRect().top"
    before = browser.js(top)
    browser.page.mouse.click(x, y)
    assert browser.js(f"document.querySelector('#here-{id_} h4').innerText") == f"PSNR of {name}"
    assert browser.js(f"document.querySelectorAll('#one-{id_} .curve').length") == 2
    assert browser.js(top) == pytest.approx(before, abs=1)  # the page has not moved
    assert browser.js(f"byId('here-{id_}').getBoundingClientRect().top < innerHeight")
    assert browser.js(f"document.querySelectorAll('#here-{id_} .canvas')[0].ariaLabel").startswith("PSNR on")
    assert name in browser.js(f"document.querySelectorAll('#here-{id_} .canvas')[0].ariaLabel")


def test_what_runs_beyond_the_axes_is_named(crowd: Crowd, browser: Browser) -> None:
    browser.open(crowd.url + "#show=all")
    for data in crowd.data["sections"]:
        inside = browser.js(f"""(() => {{ const plot = memory.get(byId('plot-{data["id"]}'));
            const [x0, x1, y0, y1] = plot.shown; return plot.view.lines.filter(l => l.points.every(
              p => p.x >= x0 && p.x <= x1 && p.y >= y0 && p.y <= y1)).map(l => l.name); }})()""")
        named = browser.js(f"byId('now-{data['id']}').textContent").partition("Beyond the axes run on: ")[2]
        names = [c["label"] for c in (*data["curves"], *data["published"])]
        assert [name for name in names if name in named.removesuffix(".").split(", ")
                or f"{name}" in named] == [name for name in names if name not in inside]
    measured = crowd.data["sections"][0]["curves"]
    assert {c["label"] for c in measured} <= set(inside)
    assert len(cells(browser, "#summary")) > 20
