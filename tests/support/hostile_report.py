"""A run with hostile names, its page and its visual comparison."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_reports import benchbox_reports
from benchbox_reports.kinds import ReportOptions
from stored import stored_results

import benchbox
from benchbox import image, registry
from benchbox.report import Results

HOSTILE = '"><img src=x onerror=alert(1)>.png'
SCRIPT = "</script><script>alert(1)</script>"


@pytest.fixture(scope="session")
def results(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A run over five crops, one of them with a hostile name, and with a hostile label."""
    base = tmp_path_factory.mktemp("run")
    (base / "pictures").mkdir()
    for k, name in enumerate(["a.png", "b.png", "c.png", "d.png", HOSTILE]):
        image.write_png(base / "pictures" / name, np.ascontiguousarray(photo[k * 4: k * 4 + 61, k * 9: k * 9 + 83]))
    benchbox.run({"name": "test", "dataset": f"folder:{base / 'pictures'}", "metrics": ["psnr"], "codec": [
        {"id": "jpeg", "qualities": [10, 30, 50, 70, 90]}, {"id": "webp", "qualities": [5, 30, 50, 70, 90]},
    ]}, workspace=base / "runs", workers=1, reports=[])
    plain = stored_results("test", base / "runs", registry.load())
    frame = plain.frame.assign(label=plain.frame["label"].astype(str).replace("webp", SCRIPT))
    return replace(plain, frame=frame, codec_settings={}, name=SCRIPT)


@pytest.fixture(scope="session")
def report(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page and visual comparison of the run."""
    out = tmp_path_factory.mktemp("out")
    by_id = {kind.id: kind for kind in benchbox_reports()}
    by_id["visual"].render(results, ReportOptions.model_validate({"bpp": "0.5,1.5"}), out)
    by_id["page"].render(results, ReportOptions.model_validate({}), out)
    return out


def embedded(page: Path) -> Any:
    """The data that a page embeds for its script."""
    found = re.search(r'id="run-data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found.group(1))


def page_of(results: Results, out: Path) -> str:
    """The URL of the page of `results`, written below `out`."""
    page = next(kind for kind in benchbox_reports() if kind.id == "page")
    return page.render(results, ReportOptions.model_validate({}), out)[0].as_uri()
