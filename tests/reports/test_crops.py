"""The crop grid for papers: which part, which codecs, its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchbox_reports import benchbox_reports
from benchbox_reports.crops import Crop, busiest, parse_crop
from benchbox_reports.figures.sheet import PAGE
from benchbox_reports.kinds import ReportOptions
from PIL import Image

from benchbox.errors import UsageError
from benchbox.report import Results


def test_a_part_is_given_in_pixels() -> None:
    assert parse_crop("") is None
    assert parse_crop("2,10,20,64,32") == Crop(2, 10, 20, 64, 32)
    for wrong in ("1,2,3,4", "a,0,0,9,9", "0,0,0,0,9", "0,-1,0,9,9"):
        with pytest.raises(UsageError, match="write PICTURE,X,Y,WIDTH,HEIGHT"):
            parse_crop(wrong)


def test_the_part_is_where_codecs_err_most() -> None:
    original = np.zeros((300, 400, 3), np.uint8)
    decoded = original.copy()
    decoded[200:210, 300:310] = 200
    x, y = busiest(original, [decoded])
    assert x <= 300 <= x + 118
    assert y <= 200 <= y + 118
    assert busiest(original[:50, :60], [decoded[:50, :60]]) == (0, 0)


def test_the_grid_holds_what_was_asked_for(results: Results, tmp_path: Path) -> None:
    visual = next(kind for kind in benchbox_reports() if kind.id == "visual")
    files = visual.render(results, ReportOptions.model_validate({"crop": "1,10,5,40,30", "codecs": "jpeg"}), tmp_path)
    grids = sorted(file.name for file in files if "crops-" in file.name)
    assert grids == ["crops-1.pdf", "crops-1.png", "crops-1.svg"]
    text = (tmp_path / "visual/crops-1.svg").read_text(encoding="utf-8")
    assert "original" in text
    assert "jpeg" in text
    assert "bpp, PSNR" in text
    with Image.open(tmp_path / "visual/crops-1.png") as picture:
        assert picture.width == pytest.approx(PAGE * 300, rel=0.01)
    with pytest.raises(UsageError, match="no lossy codec of the run is called 'nobody'; take some of jpeg"):
        visual.render(results, ReportOptions.model_validate({"codecs": "nobody"}), tmp_path)
