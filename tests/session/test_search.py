"""Searching for a target: the result is near it if the axis reaches it, tries are few, nothing is encoded twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import benchbox
from benchbox import image
from benchbox.codec import QualityAxis
from benchbox.errors import PlanError
from benchbox.plan import Configuration, Target, make_plan, resolve
from benchbox.registry import load
from benchbox.session.search import MOST_TRIES, Search


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


def run_out(one: Search, value: Callable[[float], float | None]) -> Search:
    """`one` carried to its end; no quality is tried twice."""
    while (quality := one.propose()) is not None:
        assert quality not in one.tried
        one.tried[quality] = value(quality)
    assert len(one.tried) <= MOST_TRIES
    return one


@example(target=0.25, low=26, high=55, integer=False, falling=True, inside={65})
@example(target=0.25, low=26, high=55, integer=True, falling=True, inside={65, 67})
@given(target=st.floats(0.1, 1.05), low=st.integers(0, 30), high=st.integers(70, 100), integer=st.booleans(),
       falling=st.booleans(), inside=st.sets(st.sampled_from(range(5, 100, 10)), max_size=1))  # fmt: skip
def test_tries_without_a_value_are_left_out(
    target: float, low: int, high: int, integer: bool, falling: bool, inside: set[int]
) -> None:
    """Both ends of the axis and some places of the sweep fail: the search comes as near as what is left allows."""
    axis = QualityAxis("q", tuple(float(v) for v in range(95, 0, -10))[:: 1 if falling else -1], 0, 100,
                       integer=integer)  # fmt: skip

    def bpp(quality: float) -> float | None:
        size = 100 - quality if falling else quality
        return None if not low <= size <= high or quality in inside else 0.05 + size / 100

    one = run_out(search(axis, Target("bpp", target)), bpp)
    best = one.best()
    assert best is not None
    found = bpp(best)
    assert found is not None
    possible = [value for quality in range(101) if (value := bpp(quality)) is not None]
    nearest = min(abs(value - target) for value in possible)
    assert abs(found - target) <= nearest + 0.05  # half the way between two places of the sweep
    assert (one.ending()[0] == "") == one.target.near(found)


def test_the_last_setting_with_a_value_is_found_before_an_end_that_fails() -> None:
    axis = QualityAxis("quality", (5.0, 50.0, 90.0, 95.0), 0, 100, integer=True)
    one = run_out(search(axis, Target("bpp", 5.0)), lambda q: None if q == 100 else q / 100)
    assert one.best() == 99
    assert one.ending() == ("the target lies beyond quality 99, and quality 100 has no value", 100)


def test_a_codec_that_has_no_value_anywhere_costs_few_tries() -> None:
    axis = QualityAxis("q", tuple(map(float, range(5, 100, 10))), 0, 100)
    one = run_out(search(axis, Target("bpp", 0.5)), lambda _: None)
    assert len(one.tried) <= 8
    assert {0.0, 100.0} < set(one.tried)
    assert one.best() is None
    assert one.ending()[0] == "none of 8 settings tried has a value"


@pytest.mark.parametrize(("target", "integer", "words"), [
    (50.0, False, "the target lies beyond the axis, which ends at q 100"),
    (0.505, True, "the target lies between q 50 and 51, and there is no setting between them"),
])  # fmt: skip
def test_an_ending_is_said_as_it_is(target: float, integer: bool, words: str) -> None:
    one = run_out(search(QualityAxis("q", (10.0, 50.0, 90.0), 0, 100, integer=integer), Target("bpp", target)),
                  lambda q: q / 100)  # fmt: skip
    assert one.ending() == (words, None)


@pytest.mark.parametrize("text", ["", "bpp", "bpp=", "bpp=x", "bpp=-1", "bpp=nan", "ssimm=0.9", "=3"])
def test_a_bad_target_is_quoted_before_a_data_set_is_opened(text: str, tmp_path: Path) -> None:
    asked = {"name": "t", "dataset": "folder:nowhere", "metrics": ["ssim"], "codec": [{"id": "jpeg"}]}
    with pytest.raises(PlanError, match=f"match '{text}'"):
        resolve(make_plan(asked | {"match": [text]}, "plan"), load(), tmp_path)


def test_a_target_without_its_metric_says_how_to_have_it(tmp_path: Path) -> None:
    asked = {"name": "t", "dataset": "folder:nowhere", "metrics": ["psnr"], "codec": [{"id": "jpeg"}]}
    with pytest.raises(PlanError, match=r"match 'ssim=0\.9': take one of bpp, psnr; or add the metric to the plan"):
        resolve(make_plan(asked | {"match": ["ssim=0.9"]}, "plan"), load(), tmp_path)


def test_a_matched_run_keeps_the_nearest_and_encodes_nothing_again(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", photo)
    asked = {"name": "m", "dataset": f"folder:{tmp_path / 'p'}", "metrics": ["psnr"],
             "codec": [{"id": "jpeg"}, {"id": "webp"}, {"id": "png"}],
             "match": ["bpp=1", "psnr = 33", "psnr=33.0"]}  # fmt: skip
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
