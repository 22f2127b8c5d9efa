"""A run to exchange with CompressAI and codec-compare, and its export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_interchange import benchbox_reports
from stored import stored_results

import benchbox
from benchbox import image, registry
from benchbox.report import Results

SCRIPT = "<script>alert(1)</script>"
QUALITIES = [10, 30, 60, 90]
SIZES = {"wide.png": (177, 233), "high.png": (192, 171), "whole.png": (192, 256)}


@pytest.fixture(scope="session")
def trade(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the run "trade": two lossy codecs and a lossless one on three pictures."""
    folder = tmp_path_factory.mktemp("trade")
    (folder / "pictures").mkdir()
    for name, (height, width) in SIZES.items():
        image.write_png(folder / "pictures" / name, np.ascontiguousarray(photo[:height, :width]))
    plan = {"name": "trade", "dataset": f"folder:{folder / 'pictures'}", "metrics": ["psnr", "ms-ssim", "ssim"],
            "codec": [{"id": "jpeg", "qualities": QUALITIES},
                      {"id": "webp", "qualities": QUALITIES, "options": {"method": 2}}, {"id": "png"}]}  # fmt: skip
    benchbox.run(plan, workspace=folder / "runs", workers=1)
    return folder / "runs"


@pytest.fixture(scope="session")
def traded(trade: Path) -> Results:
    return stored_results("trade", trade, registry.load())


def make(kind: str, run: Results, out: Path) -> list[Path]:
    report = next(report for report in benchbox_reports() if report.id == kind)
    return report.render(run, report.Options(), out)


def strictly(path: Path) -> Any:
    """The JSON in a file as a browser parses it: without NaN and infinity, and with no key twice."""
    def refuse(word: str) -> None:
        raise AssertionError(f"{path.name} has {word}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(path.read_text("utf-8"), parse_constant=refuse, object_pairs_hook=once)


def changed(run: Results, **columns: Any) -> Results:
    """`run` with columns of its frame replaced (a value, or a function of the frame)."""
    frame = run.frame.copy()
    for name, value in columns.items():
        frame[name] = value(frame) if callable(value) else value
    return dataclasses.replace(run, frame=frame)
