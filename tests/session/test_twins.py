"""A picture that a data set has under several names is measured under each, and the run and its reports say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from small_runs import Said, plan

import benchbox
from benchbox.dataset import twins

ASKED = {"id": "jpeg", "qualities": [50]}
SAID = "0.png, same.bmp have the same pixels, so this picture counts 2 times in every mean and interval"


def test_the_same_pixels_under_two_names_are_said(pictures: Path, tmp_path: Path) -> None:
    with PillowImage.open(pictures / "0.png") as picture:
        picture.save(pictures / "same.bmp")  # another file of the same pixels
    name, said = f"folder:{pictures}", Said()
    frame = benchbox.run(plan(pictures, ASKED), workspace=tmp_path / "runs", workers=1, progress=said)
    assert f"{name}: {SAID}" in said.lines
    assert sorted(frame["sample"]) == ["0.png", "1.png", "2.png", "same.bmp"]  # none is dropped
    assert SAID in (tmp_path / "runs" / "t" / "report" / "index.html").read_text(encoding="utf-8")


def test_pictures_that_differ_are_not_said(pictures: Path, tmp_path: Path) -> None:
    shutil.copy(pictures / "0.png", tmp_path / "elsewhere.png")  # not in the data set
    said = Said()
    benchbox.run(plan(pictures, ASKED), workspace=tmp_path / "runs", workers=1, reports=[], progress=said)
    assert not any("pixels" in line for line in said.lines)


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (1, 1), (3, 3), (4, 1), (40, 1)])
def test_many_are_said_in_one_line(count: int, lines: int) -> None:
    digests = {f"{k}{side}": str(k) for k in range(count) for side in "ab"} | {"alone": "x"}
    found = twins(digests)
    assert len(found) == lines
    if count > 3:
        assert found[0].startswith(f"{count} pictures are here under {2 * count} names (0a = 0b, 1a = 1b, 2a = 2b ...)")
