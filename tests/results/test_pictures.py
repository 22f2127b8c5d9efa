"""The pictures behind a run's rows: each data set is opened once, however many of them a report shows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from small_runs import go, plan
from stored import stored_results, write_reports

from benchbox import image, registry
from benchbox.errors import DatasetError


def test_a_page_lists_the_folder_once(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go(tmp_path, plan(pictures, {"id": "jpeg", "qualities": [20, 40, 60, 80]}))
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path=".": (listed.append(str(path)), scandir(path))[1])
    known = registry.load()
    page = write_reports(stored_results("t", tmp_path / "runs", known), known, ["page"], tmp_path / "out")[0]
    assert page.read_text(encoding="utf-8").count("data:image/webp;base64") == 3
    assert listed.count(str(pictures)) <= 2, "once to see that it can be read, once to list it"


def test_each_row_has_its_own_picture(tmp_path: Path, pictures: Path) -> None:
    frame = go(tmp_path, plan(pictures, {"id": "png"}, {"id": "jpeg", "qualities": [50]}))
    results = stored_results("t", tmp_path / "runs")
    assert results.original is not None
    assert results.pixels is not None
    for row in frame.itertuples():
        own = image.read(pictures / str(row.sample)).pixels
        assert np.array_equal(results.original(str(row.key)), own)
        assert np.array_equal(results.pixels(str(row.key)), own) == (row.codec == "png")
    with pytest.raises(KeyError):
        results.original("0" * 64)


def test_a_picture_that_is_gone_or_another_is_named(tmp_path: Path, pictures: Path) -> None:
    frame = go(tmp_path, plan(pictures, {"id": "jpeg", "qualities": [50]}))
    image.write_png(pictures / "0.png", np.zeros((20, 20, 3), np.uint8))
    (pictures / "1.png").unlink()
    results = stored_results("t", tmp_path / "runs")
    assert results.original is not None
    with pytest.raises(DatasetError, match="'0.png' is not the one that was measured"):
        results.original(str(frame["key"][0]))
    with pytest.raises(DatasetError, match="no longer has the sample '1.png'"):
        results.original(str(frame["key"][1]))
    assert results.original(str(frame["key"][2])).shape == (168, 180, 3)
