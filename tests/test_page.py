"""The page and the visual comparison of a real run, used as a reader does, in headless Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from benchbox_reports import ReportOptions, benchbox_reports
from benchbox_reports.naming import public
from benchbox_reports.pareto import DrawnSpeeds, drawn_speeds
from benchbox_reports.speeds import measure_speeds
from benchbox_reports.visual import crop, error_map, parse_targets
from PIL import Image as PillowImage

import benchbox
from benchbox import image, registry
from benchbox.bd import percent
from benchbox.errors import UsageError
from benchbox.report import Results
from benchbox.results import load_results

HOSTILE = '"><img src=x onerror=alert(1)>.png'
SCRIPT = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def results(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A run over five crops, one of a hostile name, with a hostile label."""
    base = tmp_path_factory.mktemp("run")
    (base / "pictures").mkdir()
    for k, name in enumerate(["a.png", "b.png", "c.png", "d.png", HOSTILE]):
        image.write_png(base / "pictures" / name, np.ascontiguousarray(photo[k * 4: k * 4 + 61, k * 9: k * 9 + 83]))
    benchbox.run({"name": "test", "dataset": f"folder:{base / 'pictures'}", "metrics": ["psnr"], "codec": [
        {"id": "jpeg", "qualities": [10, 30, 50, 70, 90]}, {"id": "webp", "qualities": [5, 30, 50, 70, 90]},
    ]}, workspace=base / "runs", workers=1, reports=[])
    plain = load_results("test", base / "runs", registry.load())
    frame = plain.frame.assign(label=plain.frame["label"].astype(str).replace("webp", SCRIPT))
    return replace(plain, frame=frame, codec_settings={}, name=SCRIPT)


@pytest.fixture(scope="module")
def report(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page and visual comparison of the run."""
    out = tmp_path_factory.mktemp("out")
    by_id = {kind.id: kind for kind in benchbox_reports()}
    by_id["visual"].render(results, ReportOptions.model_validate({"bpp": "0.5,1.5"}), out)
    by_id["page"].render(results, ReportOptions.model_validate({}), out)
    return out


def embedded(page: Path) -> Any:
    found = re.search(r'id="run-data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_the_embedded_numbers_are_those_of_the_tables(report: Path) -> None:
    data = embedded(report / "index.html")
    (section,), (dataset,) = data["sections"], data["datasets"]
    points = pd.read_csv(report / "tables/rd-points.csv")
    for curve in section["curves"]:
        own = points[points["label"] == curve["label"]]
        assert curve["bpp"] == pytest.approx(own["bpp"].tolist(), abs=1e-6)
        assert curve["raw"] == pytest.approx(own["mean"].tolist(), abs=1e-3)
        assert curve["bytes"] == pytest.approx(own["bytes"].tolist(), abs=0.5)
    ratios = section["ratios"]
    assert ratios["labels"] == ["jpeg", SCRIPT]
    pictures = pd.read_csv(report / "tables/bd-pictures.csv")
    against = pictures[pictures["anchor"] == "jpeg"].set_index("picture")[SCRIPT]
    for place, log in zip(ratios["pictures"], ratios["log"][0], strict=True):
        assert percent(log / data["ratio"]) == pytest.approx(against[dataset["pictures"][place]], abs=2e-3)
    (matrix,) = pd.read_csv(report / "tables/bd-matrix.csv").query("anchor == 'jpeg'").to_dict("records")
    for name, column in (("mean", "bd_rate_percent"), ("low", "low_95"), ("high", "high_95")):
        assert percent(ratios[name][0] / data["ratio"]) == pytest.approx(matrix[column], abs=2e-3)
    bd = pd.read_csv(report / "tables/bd-all.csv")
    for anchor, rows in section["bd"].items():
        ((cells, _),) = rows
        (row,) = bd[bd["anchor"] == anchor].to_dict("records")
        shown = cells[1].replace("−", "-")
        decimals = len(shown.partition(".")[2])  # as many as the interval allows
        assert float(shown) == pytest.approx(row["bd_rate_percent"], abs=0.501 * 10.0**-decimals)


def test_what_is_shown_at_matched_rate_is_what_was_measured(report: Path) -> None:
    pictures = embedded(report / "visual.html")["pictures"]
    assert len(pictures) == 3
    for picture in pictures:
        original = np.asarray(PillowImage.open(report / picture["file"]))
        for shot in picture["shots"]:
            decoded = np.asarray(PillowImage.open(report / shot["file"]))
            told = re.search(r"PSNR ([\d.]+) dB", ", ".join(shot["told"]))
            assert told
            error = np.mean((decoded.astype(float) - original) ** 2)
            assert 10 * np.log10(255**2 / error) == pytest.approx(float(told.group(1)), abs=0.0051)
            assert (report / shot["error"]).is_file()
    assert not list(report.glob("**/*img*"))  # files are numbered, never named after pictures


def test_no_file_names_a_folder_of_this_machine(results: Results, report: Path) -> None:
    private = results.frame["dataset"].iloc[0].partition(":")[2]
    assert private.startswith("/")
    texts = {file: file.read_text(encoding="utf-8") for file in report.rglob("*")
             if file.suffix in (".html", ".csv", ".md", ".tex", ".svg")}  # fmt: skip
    assert len(texts) > 10
    assert [file for file, text in texts.items() if private in text] == []
    assert "folder:pictures" in texts[report / "index.html"]


def test_two_folders_of_one_name_stay_two() -> None:
    frame = pd.DataFrame({"dataset": pd.Categorical(["folder:/a/x", "folder:/b/x", "kodak"]),
                          "reason": pd.array(["", "/b/x/1.png: broken", ""], dtype="string")})
    named = public(Results("run", frame, (), 'dataset = ["folder:/a/x", "folder:/b/x"]', {},
                           {"folder:/b/x": ["folder /b/x", "Source: /b/x"]}))
    assert list(named.frame["dataset"]) == ["folder:x", "folder:x (2)", "kodak"]
    assert named.frame["reason"].iloc[1] == "x (2)/1.png: broken"
    assert named.plan == 'dataset = ["folder:x", "folder:x (2)"]'
    assert named.dataset_notes == {"folder:x (2)": ("folder x (2)", "Source: folder x")}


def test_small_pictures_are_those_of_the_data_set(results: Results, report: Path) -> None:
    (dataset,) = embedded(report / "index.html")["datasets"]
    keys = results.frame.drop_duplicates("sample").set_index("sample")["key"]
    assert results.original is not None
    for name, uri in zip(dataset["pictures"], dataset["small"], strict=True):
        small = np.asarray(PillowImage.open(BytesIO(b64decode(uri.removeprefix("data:image/webp;base64,")))))
        original = results.original(keys[name])
        assert small.shape == original.shape  # smaller than a thumbnail: as large as it is
        assert 10 * np.log10(255**2 / np.mean((small.astype(float) - original) ** 2)) > 25


def test_speeds_that_cannot_be_compared_are_refused(results: Results) -> None:
    frame, labels = results.frame, ("jpeg", SCRIPT)

    def drawn(**columns: Any) -> DrawnSpeeds:
        changed = replace(results, frame=frame.assign(**columns))
        (one,) = drawn_speeds(changed, measure_speeds(changed, labels)).values()
        return one

    jpeg = frame["label"] == "jpeg"
    none = drawn(timing="disturbed")
    assert none.sides == {"encode": {}, "decode": {}}
    assert "Quality runs do not measure speed" in none.notes[0]
    two = drawn(timing="timed", host=np.where(jpeg, "ant", "bee"))
    assert two.sides["encode"] == {}
    assert "2 hosts (ant, bee)" in two.notes[0]
    assert "one batch size" in drawn(timing="timed", batch=np.where(jpeg, 1, 8)).notes[0]
    partly = drawn(timing=np.where(jpeg & (frame["quality"] == 10), "disturbed", "timed"))
    assert list(partly.sides["encode"]) == [SCRIPT]
    assert "jpeg (20 of 25 points)" in partly.notes[1]
    median, low, high = drawn(timing="timed").sides["decode"]["jpeg"]
    speed = 61 * 83 / 1e6 / frame["decode_s"][jpeg]
    assert (low, median, high) == pytest.approx(speed.quantile([0.25, 0.5, 0.75]).tolist())


def test_crops_and_error_maps() -> None:
    assert crop(np.zeros((600, 2000, 3), np.uint8)).shape == (512, 512, 3)
    assert crop(np.zeros((7, 5, 1), np.uint8)).shape == (7, 5, 1)
    black = np.zeros((1, 3, 3), np.uint8)
    brightness = error_map(black, black + np.array([[[0], [8], [40]]], np.uint8)).sum(axis=2)[0]
    assert brightness[0] < brightness[1] < brightness[2]
    assert parse_targets("1, 0.25,1") == [0.25, 1.0]
    for wrong in ("", "a", "0.5,-1", "nan"):
        with pytest.raises(UsageError, match="write the target rates"):
            parse_targets(wrong)


class Browser:
    """Headless Chromium, spoken to over a pipe by the DevTools protocol; `troubles` holds what its console said."""

    def __init__(self, program: str, profile: Path) -> None:
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4; a shell puts ours there.
        command = f'exec "$0" "$@" 3<&{read} 4>&{write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read)
        os.close(write)
        self._count, self._buffer, self._session = 0, b"", ""
        self.troubles: list[str] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 16)
            assert part, "Chromium has gone"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        found = cast(dict[str, Any], json.loads(message))
        if found.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded",
                                   "Page.javascriptDialogOpening"):
            self.troubles.append(json.dumps(found["params"])[:500])
        return found

    def do(self, method: str, **params: Any) -> Any:
        self._count += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._count, "method": method, "params": params, **session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (found := self._receive()).get("id") != self._count:
            pass
        assert "error" not in found, found
        return found["result"]

    def open(self, url: str, width: int = 1280, media: str = "") -> None:
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia", media=media)
        for address in ("about:blank", url):  # from elsewhere: else a new hash would load nothing
            self.do("Page.navigate", url=address)
            while self._receive().get("method") != "Page.loadEventFired":
                pass

    def js(self, code: str) -> Any:
        found = self.do("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        button = "left" if kind != "mouseMoved" else "none"
        self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=1)

    def key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium is installed; CI must have one (apt install chromium)")
        pytest.skip("no Chromium is installed here (apt install chromium)")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A quiet browser: any word on its console, any dialogue, fails the test."""
    chromium.troubles.clear()
    yield chromium
    assert chromium.troubles == []


def choose(browser: Browser, control: str, value: str, event: str) -> None:
    """Set a control of the page as a reader would."""
    browser.js(f"(() => {{ const s = document.getElementById('{control}'); s.value = {json.dumps(value)}; "
               f"s.dispatchEvent(new Event('{event}')); }})()")


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


def cells(browser: Browser, table: str) -> list[list[str]]:
    """The rows of the table that a selector finds, as they are read."""
    return cast(list[list[str]], browser.js(f"[...document.querySelector({json.dumps(table)}).rows].map("
                                            "r => [...r.cells].map(c => c.innerText.trim()))"))


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


def page_of(results: Results, out: Path) -> str:
    """The address of a page of `results`."""
    page = next(kind for kind in benchbox_reports() if kind.id == "page")
    return page.render(results, ReportOptions.model_validate({}), out)[0].as_uri()


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
