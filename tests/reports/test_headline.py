"""The sentence that names the best codec names only what the pictures show."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from benchbox_reports.analysis import analyse
from benchbox_reports.headline import sentences
from benchbox_reports.pareto import DrawnSpeeds
from encoded_crops import Rows, results_of

from benchbox.report import Results


@pytest.fixture(scope="module")
def run(crop_rows: Rows) -> Results:
    return results_of(crop_rows)


def first_sentence(run: Results) -> str:
    analysis = analyse(run)
    assert analysis.anchor is not None
    return sentences(analysis, analysis.anchor, {})[0]


def with_twin(run: Results) -> Results:
    """The run with a second codec whose points are those of the best one."""
    best = first_sentence(run).split(" needs the fewest bits")[0]
    twin = run.frame[run.frame["label"] == best].assign(label="twin")
    twin["key"] = twin["key"].astype(str) + "-twin"
    frame = pd.concat([run.frame.astype({"label": str, "key": str}), twin.astype({"label": str})], ignore_index=True)
    return replace(run, frame=frame)


def test_one_that_is_best_on_the_pictures_is_named(run: Results) -> None:
    assert " needs the fewest bits at equal PSNR over " in first_sentence(run)
    assert "95 % interval" in first_sentence(run)


def test_two_that_differ_by_nothing_are_not_ranked(run: Results) -> None:
    said = first_sentence(with_twin(run))
    assert " and twin (" in said or "twin (" in said.split(" and ")[0]
    assert "They cannot be told apart: the intervals of their differences contain 0." in said


def test_too_few_pictures_rank_nobody(run: Results) -> None:
    few = run.frame["sample"].drop_duplicates().head(3)
    said = first_sentence(with_twin(replace(run, frame=run.frame[run.frame["sample"].isin(few)])))
    assert "They cannot be told apart: 3 pictures with a BD-rate; an interval needs 5." in said


@pytest.mark.parametrize(("decoding", "said"), [
    (90.0, "jpeg encodes and decodes fastest (50 and 90 MP/s), on one core."),
    (2.0, "jpeg encodes fastest (50 MP/s), webp decodes fastest (20 MP/s), on one core."),
])
def test_the_fastest_codecs_are_named_once(run: Results, decoding: float, said: str) -> None:
    analysis = analyse(run)
    assert analysis.anchor is not None
    speeds = DrawnSpeeds({"encode": {"jpeg": (50.0, 49.0, 51.0), "webp": (5.0, 4.0, 6.0)},
                          "decode": {"jpeg": (decoding, 1.0, 99.0), "webp": (20.0, 19.0, 21.0)}}, [])
    assert sentences(analysis, analysis.anchor, {analysis.sections[0].dataset: speeds})[-1] == said
