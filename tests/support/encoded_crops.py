"""Real encodings of six crops as rows of results, what the core hands to a report, and the page made from them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
import pytest
from benchbox_reports import benchbox_reports
from benchbox_reports.kinds import ReportOptions
from PIL import Image as PillowImage
from skimage.metrics import structural_similarity

from benchbox.metric import Display, Metric, Scorer
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
    """One row of results, from a real encoding."""
    form, options, _ = CODECS[label]
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, form, **options, **({} if quality is None else {"quality": quality}))
    decoded = np.asarray(PillowImage.open(file).convert("RGB"))
    height, width = pixels.shape[:2]
    error = np.mean((decoded.astype(float) - pixels) ** 2)
    ssim = structural_similarity(pixels, decoded, channel_axis=2)  # type: ignore[no-untyped-call]
    size = len(file.getvalue())
    return {
        "run": "test", "dataset": "crops", "sample": sample, "codec": label.split()[0], "label": label,
        "options": json.dumps(options), "quality": quality, "device": "cpu", "width": width, "height": height,
        "channels": 3, "bit_depth": 8, "status": "ok", "reason": "", "bytes": size, "bpp": 8 * size / (width * height),
        "exact": bool(error == 0), "encode_s": 0.002, "decode_s": 0.001,
        "psnr": 10 * np.log10(255**2 / error) if error else np.nan,
        "ssim": ssim, "null_reasons":
        "{}" if error else '{"psnr": "the pictures are identical"}', "identity": "Pillow " + PIL.__version__,
        "host": "here", "key": f"{label}|{quality}|{sample}", "sample_sha256": sample, "stream_sha256": "",
    }  # fmt: skip


@pytest.fixture(scope="session")
def crop_rows(photo: np.ndarray) -> Rows:
    """Six crops of a photograph, by three codecs at all their qualities and by PNG."""
    crops = {f"crop{k}.png": photo[k * 12: k * 12 + 97, k * 20: k * 20 + 121] for k in range(6)}
    return [encode(name, np.ascontiguousarray(crop), label, quality)
            for name, crop in crops.items() for label, (_, _, sweep) in CODECS.items() for quality in sweep]


def failed(row: Row, status: str | None, reason: str | None) -> Row:
    """`row` as it would be had its encoding failed; a status of None: not measured yet."""
    return {**row, "status": status, "reason": reason, "bytes": None, "bpp": np.nan, "exact": None, "psnr": np.nan,
            "ssim": np.nan, "encode_s": np.nan, "decode_s": np.nan, "null_reasons": "{}"}


def results_of(rows: Rows | pd.DataFrame, metrics: Sequence[Metric] = (PSNR, SSIM), **more: Any) -> Results:
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
    """The files of one kind of report of `run`, written below `out`."""
    report = next(report for report in benchbox_reports() if report.id == kind)
    return report.render(run, ReportOptions(**options), out)


class Parsed(HTMLParser):
    """A page's elements, ids, links and text; refuses unbalanced tags."""

    VOID = ("input", "meta", "link", "br", "img", "path", "use")

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


@pytest.fixture(scope="session")
def crops_page(crop_rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page that most tests look at, made once."""
    out = tmp_path_factory.mktemp("page")
    files = make("page", results_of(crop_rows), out)
    assert files[0] == out / "index.html"
    assert all(file.stat().st_size for file in files if file.suffix != ".csv")
    return out
