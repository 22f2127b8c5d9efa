"""The bundled reports on real encodings: what they hold, what they escape, what little they can be made from."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
import pytest
from benchbox_reports import ReportOptions, benchbox_reports, figures
from benchbox_reports.look import COLOURS, COLOURS_DARK, MARKER_PATHS, MARKERS, looks
from benchbox_reports.rounding import decimals, half_width
from benchbox_reports.wording import number
from PIL import Image as PillowImage
from skimage.metrics import structural_similarity

from benchbox import curves
from benchbox.bd import bd_metric, bd_rate
from benchbox.bdstats import PictureTable
from benchbox.errors import UnknownIdError
from benchbox.metric import Display, Metric, Scorer
from benchbox.reference import Reference
from benchbox.report import Results

Row = dict[str, Any]
Rows = list[Row]
SCRIPT, IMG = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>.png'


class Described(Metric):
    """A metric whose values the frame already holds."""

    def open(self, device: str) -> Scorer:
        raise AssertionError("reports never score")


PSNR = Described("psnr", "PSNR", "1", "dB", "higher", Display("PSNR (dB)", 2))
SSIM = Described("ssim", "SSIM", "1", "", "higher", Display("SSIM (dB)", 2, "db"), -1.0, 1.0)
CODECS: dict[str, tuple[str, dict[str, Any], tuple[float | None, ...]]] = {
    "jpeg": ("JPEG", {}, (8, 20, 40, 60, 80, 92)),
    "jpeg progressive=yes": ("JPEG", {"progressive": True}, (8, 20, 40, 60, 80, 92)),
    "webp": ("WEBP", {}, (5, 25, 50, 75, 90)),
    "png": ("PNG", {}, (None,)),
}


def encode(sample: str, pixels: np.ndarray, label: str, quality: float | None) -> Row:
    """One row, from a real encoding."""
    form, options, _ = CODECS[label]
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, form, **options, **({} if quality is None else {"quality": quality}))
    decoded = np.asarray(PillowImage.open(file).convert("RGB"))
    height, width = pixels.shape[:2]
    error = np.mean((decoded.astype(float) - pixels) ** 2)
    size = len(file.getvalue())
    return {
        "run": "test", "dataset": "crops", "sample": sample, "codec": label.split()[0], "label": label,
        "options": json.dumps(options), "quality": quality, "device": "cpu", "width": width, "height": height,
        "channels": 3, "bit_depth": 8, "status": "ok", "reason": "", "bytes": size, "bpp": 8 * size / (width * height),
        "exact": bool(error == 0), "encode_s": 0.002, "decode_s": 0.001,
        "psnr": 10 * np.log10(255**2 / error) if error else np.nan,
        "ssim": structural_similarity(pixels, decoded, channel_axis=2), "null_reasons":
        "{}" if error else '{"psnr": "the pictures are identical"}', "identity": "Pillow " + PIL.__version__,
        "host": "here", "key": f"{label}|{quality}|{sample}", "sample_sha256": sample, "stream_sha256": "",
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows(photo: np.ndarray) -> Rows:
    crops = {f"crop{k}.png": photo[k * 12: k * 12 + 97, k * 20: k * 20 + 121] for k in range(6)}
    return [encode(name, np.ascontiguousarray(crop), label, quality)
            for name, crop in crops.items() for label, (_, _, sweep) in CODECS.items() for quality in sweep]


def failed(row: Row, status: str | None, reason: str | None) -> Row:
    return {**row, "status": status, "reason": reason, "bytes": None, "bpp": np.nan, "exact": None, "psnr": np.nan,
            "ssim": np.nan, "encode_s": np.nan, "decode_s": np.nan, "null_reasons": "{}"}


def results(rows: Rows | pd.DataFrame, metrics: Sequence[Metric] = (PSNR, SSIM), **more: Any) -> Results:
    """What the core hands to a report, with its dtypes."""
    frame = pd.DataFrame(rows)
    if len(frame):
        for names, dtype in (("run dataset sample codec label options device status identity host sample_sha256",
                              "category"), ("reason null_reasons key stream_sha256", "string"),
                             ("width height channels bit_depth bytes", "Int64"), ("exact", "boolean"),
                             ("quality bpp psnr ssim encode_s decode_s", "float64")):
            frame = frame.astype(dict.fromkeys(names.split(), dtype))
    given: dict[str, Any] = {"name": "test", "frame": frame, "metrics": metrics, "plan": 'name = "test"\n',
             "environment": {"cpu": "a CPU", "libraries": {"pillow": PIL.__version__}, "gpus": []},
             "dataset_notes": {"crops": ["crops of one photograph"]}}
    return Results(**{**given, **more})


def make(kind: str, run: Results, out: Path, **options: Any) -> list[Path]:
    report = next(report for report in benchbox_reports() if report.id == kind)
    return report.render(run, ReportOptions(**options), out)


class Parsed(HTMLParser):
    """A page's elements, ids, links and text; refuses unbalanced tags."""

    VOID = ("meta", "link", "br", "img", "path", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str | None] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.handlers: list[str | None] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)


@pytest.fixture(scope="module")
def page(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that most tests look at, made once."""
    out = tmp_path_factory.mktemp("page")
    files = make("page", results(rows), out)
    assert files[0] == out / "index.html"
    assert all(file.stat().st_size for file in files if file.suffix != ".csv")
    return out


def test_the_page_stands_alone(page: Path) -> None:
    parsed = Parsed((page / "index.html").read_text(encoding="utf-8"))
    assert parsed.tags.count("script") == 2  # the data and what draws it
    assert len(parsed.ids) == len(set(parsed.ids))
    for link in parsed.links:
        assert link.startswith(("#", "data:,")) or (page / link).is_file(), link
        if link.startswith("#"):
            assert link[1:] in parsed.ids
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", (page / "index.html").read_text())


def test_inline_figures_take_the_colours_of_the_page(page: Path) -> None:
    text = (page / "index.html").read_text()
    figures = re.findall(r'<svg viewBox="[\d. ]+" role="img".*?</svg>', text, re.DOTALL)
    assert len(figures) == 2
    for figure in figures:
        assert set(re.findall(r"#[0-9a-f]{6}\b", figure)) == set()
        assert {"var(--ink)", "var(--rule)", "var(--c0)", "var(--c2)"} <= set(re.findall(r"var\(--\w+\)", figure))


def test_the_numbers_are_those_of_curves(rows: Rows, page: Path) -> None:
    """Every cell of bd.csv against the core's functions, and each printed cell on the page against bd.csv."""
    frame = results(rows).frame
    table = pd.read_csv(page / "tables/bd.csv")
    html = Parsed((page / "index.html").read_text(encoding="utf-8"))
    assert len(table) == 4
    for metric in (PSNR, SSIM):
        by_label = {c.label: c for c in curves.mean_curves(frame, metric)}
        pictures = PictureTable(curves.image_curves(frame, metric))
        for row in table[table["metric"] == metric.id].to_dict("records"):
            rate = bd_rate(by_label["jpeg"], by_label[row["label"]])
            over = pictures.summary("jpeg", row["label"])
            assert row["bd_rate_percent"] == pytest.approx(rate.value)
            assert row["bd_metric"] == pytest.approx(bd_metric(by_label["jpeg"], by_label[row["label"]]).value)
            assert [row["range_low"], row["range_high"]] == pytest.approx([rate.low, rate.high])
            assert row["overlap"] == pytest.approx(rate.overlap)
            assert [row["pictures_mean_percent"], row["pictures"]] == pytest.approx([over.mean, 6])
            assert over.interval is not None
            assert [row["pictures_low_95"], row["pictures_high_95"]] == pytest.approx(list(over.interval))
            for value in (rate.value, over.median):
                assert value is not None
                assert number(value, decimals(half_width(over.interval), 1, 2), signed=True) in html.text
    points = pd.read_csv(page / "tables/rd-points.csv")
    jpeg = points[(points["metric"] == "ssim") & (points["label"] == "jpeg")]
    mine = frame[frame["label"] == "jpeg"].groupby("quality")
    assert jpeg["bpp"].tolist() == pytest.approx(mine["bpp"].mean().tolist())
    assert jpeg["mean"].tolist() == pytest.approx(mine["ssim"].mean().tolist())
    assert jpeg["drawn"].tolist() == pytest.approx((-10 * np.log10(1 - mine["ssim"].mean())).tolist())


def test_webp_beats_jpeg_in_words(page: Path) -> None:
    text = " ".join(Parsed((page / "index.html").read_text(encoding="utf-8")).text)
    assert re.search(r"webp needs \d+\.\d % fewer bits than jpeg at equal PSNR \(95 % interval", text)
    assert "on all 6" in text  # PNG, every pixel
    assert "Quality runs do not measure speed" in text


def test_text_of_users_stays_text(rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    label = f"{SCRIPT} $x^2$"
    hostile = [{**row, "label": label, "codec": SCRIPT, "identity": SCRIPT} if row["label"] == "webp" else row
               for row in rows]
    hostile.append(failed({**hostile[0], "sample": IMG}, "failed", f"../../{IMG}\n{SCRIPT}"))
    run = results(hostile, name=SCRIPT, plan=f"name = '{SCRIPT}'", environment={SCRIPT: {IMG: SCRIPT}},
                  dataset_notes={"crops": [SCRIPT]},
                  codec_settings={label: {"title": SCRIPT, "options": {"a": IMG}}})
    make("page", run, tmp_path)
    parsed = Parsed((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert parsed.tags.count("script") == 2
    assert "img" not in parsed.tags
    assert parsed.handlers == []
    text = "".join(parsed.text)
    assert text.count(SCRIPT) > 10
    assert IMG in text
    svg = (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert "<script" not in svg
    assert "$x^2$" in svg  # a dollar is no formula
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "figures", "tables"}


def test_figures_in_three_formats(page: Path) -> None:
    assert {file.name for file in (page / "figures").iterdir()} >= {
        f"rd-crops-{metric}.{form}" for metric in ("psnr", "ssim") for form in ("svg", "pdf", "png")}
    pdf = (page / "figures/rd-crops-psnr.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType outlines: type 42
    assert b"/Type3" not in pdf
    with PillowImage.open(page / "figures/rd-crops-ssim.png") as picture:
        assert picture.size[0] == 2148  # 7.16 inches at 300 dots
    svg = (page / "figures/rd-crops-ssim.svg").read_text()
    for text in ("SSIM (dB)", "bits per pixel", "jpeg progressive=yes", "webp"):
        assert text in svg


@pytest.mark.slow
def test_the_same_results_give_the_same_files(rows: Rows, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make("page", results(rows), tmp_path / name)
    files = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert len(files) > 12
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


LITTLE: dict[str, Callable[[Rows], Rows | pd.DataFrame]] = {
    "one picture": lambda rows: [r for r in rows if r["sample"] == "crop0.png"],
    "one quality": lambda rows: [r for r in rows if r["quality"] in (8, 5)],
    "one codec": lambda rows: [r for r in rows if r["label"] == "webp"],
    "one point": lambda rows: rows[:1],
    "only lossless": lambda rows: [r for r in rows if r["label"] == "png"],
    "nothing went through": lambda rows: [failed(r, "crashed", "exit code −11") for r in rows],
    "nothing measured yet": lambda rows: [failed(r, None, None) for r in rows],
    "a metric without a value": lambda rows: [
        {**r, "ssim": np.nan, "null_reasons": '{"ssim": "the picture is too small"}'} for r in rows],
    "one codec failed": lambda rows: [
        failed(r, "timeout", "took over 60 s") if r["label"] == "webp" else r for r in rows],
    "the anchor failed": lambda rows: [failed(r, "memory", "over 2 GB") if r["label"] == "jpeg" else r for r in rows],
    "one point failed": lambda rows: [failed(rows[0], "failed", "libjpeg said no"), *rows[1:]],
    "one picture unsupported": lambda rows: [
        failed(r, "unsupported", "gray") if r["label"] == "webp" and r["sample"] == "crop2.png" else r for r in rows],
    "no rows": lambda rows: pd.DataFrame(rows).iloc[:0],
}


@pytest.mark.parametrize("case", LITTLE)
def test_reports_of_little_data(case: str, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ())  # the page's own drawing is enough: files are another test's
    run = results(LITTLE[case](rows), (SSIM,) if "metric" in case else (PSNR,))
    make("page", run, tmp_path)
    text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "nan" not in re.findall(r"\w+", text)
    assert "inf" not in re.findall(r"\w+", text)
    expected = {
        "one picture": "There is no interval below 5 pictures", "one codec": "the only codec with a curve",
        "one quality": "4 are needed", "only lossless": "no lossy codec was run",
        "nothing went through": "no encoding went through", "nothing measured yet": "not measured",
        "a metric without a value": "SSIM has no value on any picture: the picture is too small",
        "one codec failed": "took over 60 s", "the anchor failed": "jpeg has 0 usable points, 4 are needed",
        "one point failed": "jpeg has no mean at quality 8 (1 of 6)",
        "one picture unsupported": "Left out: crop2.png, which webp does not have (unsupported: gray)",
        "no rows": "There is nothing to draw",
    }  # fmt: skip
    assert expected.get(case, "Rate-distortion curves") in text


def test_the_anchor_can_be_chosen(rows: Rows, tmp_path: Path) -> None:
    run = results(rows)
    make("tables", run, tmp_path, anchor="webp")
    table = pd.read_csv(tmp_path / "tables/bd.csv")
    assert set(table["anchor"]) == {"webp"}
    assert (table["bd_rate_percent"] > 0).all()
    for wrong in ("wbp", "png"):
        with pytest.raises(UnknownIdError, match=f"no codec with a curve in this run is called '{wrong}'"):
            make("tables", run, tmp_path, anchor=wrong)


def test_tables_in_markdown_and_latex(rows: Rows, tmp_path: Path) -> None:
    odd = [{**row, "label": "we|bp_50% <b>"} if row["label"] == "webp" else row for row in rows]
    make("tables", results(odd), tmp_path)
    markdown = (tmp_path / "tables/bd.md").read_text(encoding="utf-8")
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "we\\|bp\\_50% &lt;b&gt;" in markdown
    assert markdown.count("Anchor jpeg; negative is fewer bits") == 2
    latex = (tmp_path / "tables/bd.tex").read_text(encoding="utf-8")
    assert "we\\textbar{}bp\\_50\\% \\textless{}b\\textgreater{}" in latex
    assert latex.count("\\toprule") == latex.count("\\bottomrule") == 2
    assert all(line.count("&") - line.count("\\&") == 8 for line in latex.splitlines() if line.endswith("\\\\"))


def test_problems_are_counted(rows: Rows, tmp_path: Path) -> None:
    broken = [failed(r, "timeout", "took over 60 s") if (r["label"], r["quality"]) == ("webp", 90) else r for r in rows]
    make("tables", results(broken), tmp_path)
    (problem,) = pd.read_csv(tmp_path / "tables/problems.csv").to_dict("records")
    assert problem == {"dataset": "crops", "label": "webp", "status": "timeout", "reason": "took over 60 s",
                       "points": 6, "pictures": 6, "example": "crop0.png"}
    assert pd.read_csv(tmp_path / "tables/nulls.csv").empty  # PNG's identical pictures are as they should be


def test_published_curves_lie_under_ours(rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FORMATS", ("svg",))
    reference = Reference("old", "Old <b> codec", "crops", "means over 6 crops", "J. Doe 1999", (0.5, 1.0, 2.0),
                          {"psnr": (25.0, None, 33.0)}, "rounded to 1 dB")
    make("page", results(rows, references=(reference,)), tmp_path)
    text = " ".join(Parsed((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "Old <b> codec, published, not measured here, with a caution" in text
    assert "means over 6 crops. Source: J. Doe 1999. Caution: rounded to 1 dB" in text
    assert "Old &lt;b&gt; codec" in (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert "Old" not in (tmp_path / "figures/rd-crops-ssim.svg").read_text()


@pytest.mark.slow
def test_many_codecs_with_long_and_foreign_names(rows: Rows, tmp_path: Path) -> None:
    jpeg = [row for row in rows if row["label"] == "jpeg"]
    names = [f"codec{k} " + "very_long_option=4:4:4 " * (k % 3) + "編碼器\x07" for k in range(20)]
    many = [{**row, "label": name, "bpp": row["bpp"] * (1 + 0.05 * k)} for k, name in enumerate(names) for row in jpeg]
    make("page", results(many), tmp_path)
    svg = (tmp_path / "figures/rd-crops-psnr.svg").read_text()
    assert all(f"codec{k} " in svg for k in range(20))
    assert "\x07" not in svg


def test_listing_reports_is_cheap() -> None:
    code = ("import sys, benchbox_reports; benchbox_reports.benchbox_reports(); "
            "print([m for m in ('matplotlib', 'pandas', 'scipy', 'jinja2') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_looks_differ_and_stand_out() -> None:
    styles = looks([str(k) for k in range(63)])
    assert len({(style.index, style.marker) for style in styles.values()}) == 63
    assert set(MARKERS) == set(MARKER_PATHS)

    def luminance(colour: str) -> float:
        c = np.array([int(colour[k:k + 2], 16) for k in (1, 3, 5)]) / 255
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))

    for colour in COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour
    for colour in COLOURS_DARK:
        assert (luminance(colour) + 0.05) / (luminance("#16181d") + 0.05) >= 4.5, colour
