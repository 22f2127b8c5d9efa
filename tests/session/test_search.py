"""Searching for a target: the result is near it if the axis reaches it, tries are few, nothing is encoded twice."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchbox
from benchbox import image
from benchbox.codec import QualityAxis
from benchbox.errors import PlanError
from benchbox.plan import Configuration, make_plan, resolve
from benchbox.registry import load
from benchbox.session.search import MOST_TRIES, Search, Target, parse_target


def search(axis: QualityAxis, target: Target) -> Search:
    info = load().codec("jpeg")
    options = info.parse_options({})
    return Search("d", "s", "0", Configuration(info, options, "jpeg", "id", axis.values, axis, "cpu"), target)


@given(
    target=st.floats(0.06, 2.9),
    power=st.floats(0.5, 3),
    falling=st.booleans(),
    integer=st.booleans(),
)
def test_a_monotone_codec_is_brought_near_its_target(target: float, power: float, falling: bool, integer: bool) -> None:
    values = tuple(float(v) for v in range(5, 100, 10))
    axis = QualityAxis("q", values[::-1] if falling else values, 0, 100, integer=integer)

    def bpp(quality: float) -> float:
        size = ((100 - quality) if falling else quality) / 100
        return 0.05 + 3 * math.pow(size, power)

    one = search(axis, Target("bpp", target))
    while (quality := one.propose()) is not None:
        assert quality not in one.tried
        assert axis.check(quality, "q") == quality
        one.tried[quality] = bpp(quality)
    assert len(one.tried) <= MOST_TRIES
    best = one.best()
    assert best is not None
    step = 1.0 if integer else 0.2
    around = [bpp(q) for q in np.arange(0, 100 + step / 2, step)]
    assert abs(bpp(best) - target) <= max(min(abs(v - target) for v in around) * 1.01, 0.006 * target)


def test_a_target_beyond_the_axis_ends_at_its_end() -> None:
    axis = QualityAxis("q", (10.0, 50.0, 90.0), 0, 100)
    one = search(axis, Target("bpp", 50.0))
    while (quality := one.propose()) is not None:
        one.tried[quality] = 0.1 + quality / 100
    assert one.best() == 100
    assert len(one.tried) <= 4


def test_a_failed_try_ends_its_search() -> None:
    one = search(QualityAxis("q", (10.0, 50.0, 90.0), 0, 100), Target("bpp", 0.5))
    first = one.propose()
    assert first is not None
    one.tried[first] = None
    assert one.propose() is None
    assert one.best() is None


@pytest.mark.parametrize("text", ["", "bpp", "bpp=", "bpp=x", "bpp=-1", "bpp=nan", "ssimm=0.9", "=3"])
def test_a_bad_target_is_quoted(text: str, tmp_path: Path) -> None:
    plan = make_plan({"name": "t", "dataset": "samples", "metrics": ["ssim"], "codec": [{"id": "jpeg"}]}, "plan")
    with pytest.raises(PlanError, match="match '"):
        parse_target(text, resolve(plan, load(), tmp_path))


def test_a_matched_run_keeps_the_nearest_and_encodes_nothing_again(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", photo)
    asked = {"name": "m", "dataset": f"folder:{tmp_path / 'p'}", "metrics": ["psnr"],
             "codec": [{"id": "jpeg"}, {"id": "webp"}, {"id": "png"}], "match": ["bpp=1", "psnr=33"]}  # fmt: skip
    frame = benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[])
    assert list(frame["label"]) == ["jpeg", "jpeg", "webp", "webp"]
    assert frame["bpp"].iloc[[0, 2]].between(0.95, 1.05).all()
    assert frame["psnr"].iloc[[1, 3]].between(32.8, 33.2).all()
    store = tmp_path / "runs" / "streams"
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    assert len(before) > len(frame)
    again = benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[])
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == before
    assert list(again["key"]) == list(frame["key"])
    assert not math.isnan(float(again["psnr"].iloc[0]))
