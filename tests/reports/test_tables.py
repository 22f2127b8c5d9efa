"""Every number of the tables is found again in what `benchbox.load` gives, and, rounded, in the printed tables."""

from __future__ import annotations

import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchbox_reports.columns import FIGURE_SPACE, of_least, precision
from benchbox_reports.frames import points_table
from benchbox_reports.speeds import measure_speeds, refusals
from benchbox_reports.wording import number
from scipy.interpolate import PchipInterpolator
from stored import stored_results, write_reports
from typeset import complaints, needs_latex

import benchbox
from benchbox import image, registry
from benchbox.curves.rounding import decimals

SWEEPS = {"jpeg": [10, 30, 50, 70, 90], "webp": [5, 30, 60, 80, 95]}
PICTURES = 6


@pytest.fixture(scope="module")
def workspace(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over six crops with a timing run. Whether other work runs meanwhile depends on the machine that tests
    run on, so the test writes into the store that none did, except at the first picture's JPEGs."""
    base = tmp_path_factory.mktemp("tables")
    (base / "pictures").mkdir()
    for k in range(PICTURES):
        crop = np.ascontiguousarray(photo[k * 5: k * 5 + 165, k * 17: k * 17 + 170])
        image.write_png(base / "pictures" / f"crop{k}.png", crop)
    benchbox.run({
        "name": "t", "dataset": f"folder:{base / 'pictures'}", "metrics": ["psnr", "ms-ssim"], "timing": {"repeats": 3},
        "codec": [*({"id": codec, "qualities": sweep} for codec, sweep in SWEEPS.items()), {"id": "png"}],
    }, workspace=base / "runs", workers=1, reports=[])
    first = benchbox.load("t", base / "runs").query("sample == 'crop0.png' and codec == 'jpeg'")["key"]
    with sqlite3.connect(base / "runs" / "store.sqlite") as store:
        store.execute("UPDATE timings SET others = 0 WHERE protocol = 'timing'")
        store.executemany("UPDATE timings SET others = 2 WHERE key = ?", [(key,) for key in first])
    store.close()
    return base / "runs"


@pytest.fixture(scope="module")
def tables(workspace: Path) -> Path:
    known = registry.load()
    write_reports(stored_results("t", workspace, known), known, ["tables"], workspace.parent / "out")
    return workspace.parent / "out" / "tables"


@pytest.fixture(scope="module")
def frame(workspace: Path) -> pd.DataFrame:
    return benchbox.load("t", workspace)


def rows_of(text: str) -> list[list[str]]:
    """The cells of every row of a Markdown file's tables, heads left out."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    rules = [k for k, cells in enumerate(lines) if re.fullmatch(r":?-+:?", cells[0])]
    return [[plain(cell) for cell in cells] for k, cells in enumerate(lines) if k not in rules and k + 1 not in rules]


def plain(cell: str) -> str:
    """A cell without the blanks that align numbers."""
    return " ".join(cell.replace(FIGURE_SPACE, "").split())


def rate(curve: Any, anchor: Any, metric: str) -> float:
    """log10 of BD-rate's ratio: PCHIP of log10(bpp) over the metric, the mean over the common range by its integral."""
    fits = [(PchipInterpolator(c[metric], np.log10(c["bpp"])), c[metric].min(), c[metric].max())
            for c in (curve.sort_values("bpp"), anchor.sort_values("bpp"))]
    low, high = max(f[1] for f in fits), min(f[2] for f in fits)
    return float((fits[0][0].integrate(low, high) - fits[1][0].integrate(low, high)) / (high - low))


def percent(ratio: Any) -> Any:
    return 100 * (10 ** np.asarray(ratio) - 1)


@pytest.mark.parametrize("metric", ["psnr", "ms_ssim"])
def test_bd_rates_are_those_of_the_frame(metric: str, tables: Path, frame: pd.DataFrame) -> None:
    """Recomputed from the frame by pandas, scipy and numpy alone, and looked up in the printed tables."""
    title = metric.replace("_", "-")
    (row,) = pd.read_csv(tables / "bd.csv").query(f"metric == '{title}'").to_dict("records")
    lossy = frame[frame["quality"].notna()]
    drawn = (lambda v: -10 * np.log10(1 - v)) if metric == "ms_ssim" else (lambda v: v)
    means = lossy.groupby(["codec", "quality"], observed=True)[["bpp", metric]].mean()
    means[metric] = drawn(means[metric])
    mean_rate = percent(rate(means.loc["webp"], means.loc["jpeg"], metric))
    single = lossy.assign(**{metric: drawn(lossy[metric])})
    ratios = np.array([rate(own[own["codec"] == "webp"], own[own["codec"] == "jpeg"], metric)
                       for _, own in single.groupby("sample", observed=True)])
    assert len(ratios) == PICTURES
    assert row["bd_rate_percent"] == pytest.approx(mean_rate, rel=1e-9)
    assert row["pictures_mean_percent"] == pytest.approx(percent(ratios.mean()), rel=1e-9)
    assert row["pictures_median_percent"] == pytest.approx(percent(np.median(ratios)), rel=1e-9)
    assert (row["pictures_won"], row["pictures"]) == (np.mean(ratios < 0), PICTURES)
    draws = np.random.default_rng(0).multinomial(PICTURES, np.full(PICTURES, 1 / PICTURES), 10_000) @ ratios / PICTURES
    level = 0.00241  # Phi(-sqrt(6/5) * 2.571), 2.571 Student's 97.5 % point of 5 degrees
    ends = percent(np.quantile(draws, [level, 1 - level]))
    assert [row["pictures_low_95"], row["pictures_high_95"]] == pytest.approx(list(ends), abs=0.05)
    single_rates = pd.read_csv(tables / "bd-pictures.csv").query(f"metric == '{title}' and anchor == 'jpeg'")["webp"]
    assert sorted(single_rates) == pytest.approx(sorted(percent(ratios)))

    low, high = row["pictures_low_95"], row["pictures_high_95"]
    digits = decimals((high - low) / 2, 1, 2)
    cells = rows_of((tables / "bd.md").read_text(encoding="utf-8"))[["psnr", "ms_ssim"].index(metric)]
    assert cells[0] == "webp"
    assert cells[1] == number(mean_rate, digits, signed=True)
    assert cells[5].replace("\\", "") == "{} [{}, {}]".format(
        *(number(v, digits, signed=True) for v in (row["pictures_mean_percent"], low, high)))
    assert cells[6] == number(row["pictures_median_percent"], digits, signed=True)
    assert cells[-1] == f"{PICTURES} of {PICTURES}"


def test_points_are_those_of_the_frame(tables: Path, frame: pd.DataFrame) -> None:
    points = pd.read_csv(tables / "rd-points.csv").set_index(["metric", "label", "quality"])
    printed = {(cells[0], float(cells[1])): cells for cells in rows_of((tables / "rd-points.md").read_text())[:10]}
    digits = precision(points.loc["psnr"]["drawn_se"], 2, 6)
    assert len(points) == 2 * 10
    assert len(printed) == 10
    key: Any
    for key, own in frame[frame["quality"].notna()].groupby(["codec", "quality"], observed=True):
        for metric in ("psnr", "ms_ssim"):
            row: Any = points.loc[(metric.replace("_", "-"), *key)]
            mean, error = own[metric].mean(), own[metric].std() / np.sqrt(PICTURES)
            assert [row["bpp"], row["mean"], row["n"]] == pytest.approx([own["bpp"].mean(), mean, PICTURES])
            assert row["bytes"] == pytest.approx(own["bytes"].astype(float).mean())
            assert [row["bpp_se"], row["mean_se"]] == pytest.approx([own["bpp"].std() / np.sqrt(PICTURES), error])
            if metric == "ms_ssim":
                assert row["drawn"] == pytest.approx(-10 * np.log10(1 - mean))
                nudge = -10 * np.log10(1 - mean - 1e-7 * error) - row["drawn"]
                assert row["drawn_se"] == pytest.approx(nudge / 1e-7, rel=1e-3)
            else:
                assert printed[key][3] == f"{number(mean, digits)} ± {number(error, digits)}"


def test_speeds_are_those_of_the_frame(tables: Path, frame: pd.DataFrame) -> None:
    speeds = pd.read_csv(tables / "speeds.csv").set_index("label")
    usable = frame[frame["timing"] == "timed"]
    assert len(usable) == len(frame) - 5
    text = (tables / "speeds.md").read_text(encoding="utf-8")
    printed = {cells[0]: cells for cells in rows_of(text)}
    assert set(speeds.index) == set(printed) == {"jpeg", "webp", "png"}
    for label, own in usable.groupby("label", observed=True):
        row: Any = speeds.loc[str(label)]
        for side in ("encode", "decode"):
            mega = own["width"].astype(float) * own["height"].astype(float) / 1e6 / own[f"{side}_s"]
            quartiles = mega.quantile([0.25, 0.5, 0.75]).tolist()
            assert [row[f"{side}_mp_s_q1"], row[f"{side}_mp_s"], row[f"{side}_mp_s_q3"]] == pytest.approx(quartiles)
            for column in ("s", "spread_s", "cpu_s"):
                assert row[f"{side}_{column}"] == pytest.approx(own[f"{side}_{column}"].median())
            digits = of_least(speeds[f"{side}_mp_s"], 6)
            cell = printed[str(label)][1 if side == "encode" else 2].replace("\\", "")
            assert cell == "{1} [{0}, {2}]".format(*(number(q, digits) for q in quartiles))
        assert row["peak_bytes"] == own["peak_bytes"].max()
        assert [row["points"], row["batch"], row["threads"]] == [len(own), 1, 1]
        assert row["host"] == own["host"].iloc[0]
        assert printed[str(label)][-1] == str(len(own))
    by_quality = pd.read_csv(tables / "speeds-points.csv")
    assert by_quality["points"].sum() == len(usable)
    assert "5 of 66 operating points of single pictures are refused: other work ran while they were timed" in text


def test_hosts_are_never_mixed(workspace: Path) -> None:
    results = stored_results("t", workspace, registry.load())
    results.frame["host"] = pd.Categorical(np.where(results.frame["label"] == "jpeg", "ant", "bee"))
    ant, bee = measure_speeds(results, ["jpeg", "webp", "png"])
    assert (ant.host, set(ant.codecs["label"])) == ("ant", {"jpeg"})
    assert (bee.host, set(bee.codecs["label"])) == ("bee", {"webp", "png"})
    assert set(ant.codecs["host"]) == {"ant"}


def test_without_a_timing_run_there_is_no_speed_table(workspace: Path, tmp_path: Path) -> None:
    results = stored_results("t", workspace, registry.load())
    results.frame["timing"] = pd.Categorical(["indicative"] * len(results.frame))
    assert measure_speeds(results, ["jpeg", "webp", "png"]) == ()
    assert refusals(results) == "66 of 66 were not timed; add [timing] to the plan to time them."


def test_each_table_says_how_it_was_made(tables: Path) -> None:
    for name, words in (("bd", ("Anchor jpeg", "PCHIP", "Overlap:", "averaged as log ratios", "6 of 6 pictures")),
                        ("rd-points", ("over 6 pictures", "standard error over pictures")),
                        ("speeds", ("pinned to one core", "median over repeats", "Batch"))):
        for suffix in ("md", "tex"):
            text = (tables / f"{name}.{suffix}").read_text(encoding="utf-8")
            for word in (*words, "two significant digits of the least"):
                assert word in text, (name, suffix, word)


def test_one_picture_has_no_error(workspace: Path) -> None:
    from benchbox_reports.analysis import analyse

    results = stored_results("t", workspace, registry.load())
    kept = results.frame[results.frame["sample"] == "crop0.png"]
    object.__setattr__(results, "frame", kept)
    assert points_table(analyse(results))[["bpp_se", "mean_se"]].isna().all(axis=None)


class Rows(HTMLParser):
    """The rows of a page's tables, by the id of their section, as a reader sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._sections: list[str] = []
        self._row: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "section":
            self._sections.append(dict(attrs).get("id") or (self._sections or [""])[-1])
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th") and self._row is not None:
            self._row.append("")

    def handle_data(self, data: str) -> None:
        if self._row:
            self._row[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._sections.pop()
        elif tag == "tr" and self._row is not None:
            row = [plain(cell) for cell in self._row]
            self.found.setdefault((self._sections or [""])[-1], []).append(row)
            self._row = None


def test_the_page_prints_what_the_tables_print(workspace: Path, tables: Path) -> None:
    """Speeds and BD-rates cell by cell as in the Markdown files, lossless sizes as in the CSV."""
    write_reports(stored_results("t", workspace, registry.load()), registry.load(), ["page"], workspace.parent / "page")
    parser = Rows()
    parser.feed((workspace.parent / "page" / "index.html").read_text(encoding="utf-8"))
    printed = {name: [[cell.replace("\\", "") for cell in row]
                      for row in rows_of((tables / f"{name}.md").read_text(encoding="utf-8"))]
               for name in ("bd", "speeds")}  # fmt: skip
    speeds = [row for row in parser.found["speed"] if row[0] in {*SWEEPS, "png"}]
    assert speeds == printed["speeds"]
    assert len(speeds) == 3
    rates = [row[: len(printed["bd"][0])] for row in parser.found["bd"] if row[0] in SWEEPS]
    assert rates == printed["bd"]
    (lossless,) = [row for row in parser.found["lossless"] if row[0] == "png"]
    (known,) = pd.read_csv(tables / "lossless.csv").to_dict("records")
    assert lossless[2:] == [f"{known['bpp']:.3f}", f"{known['n']} of {PICTURES}", f"on all {known['exact']}"]


@needs_latex
def test_latex_sets_the_tables_on_a_page(tables: Path, tmp_path: Path) -> None:
    assert complaints([tables / f"{name}.tex" for name in ("bd", "rd-points", "speeds")], tmp_path) == []
