"""Two runs compared: the verdict by the interval, the pairing of pictures, and a reason wherever a number is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from two_runs import results

from benchbox.curves import codec_pairs, common_metrics, compare_codecs, comparison_table
from benchbox.errors import UnknownIdError
from benchbox.registry import load

PSNR = load().metric("psnr")


def compare(before: pd.DataFrame, after: pd.DataFrame, codecs: Sequence[str] = ()) -> pd.DataFrame:
    return comparison_table(compare_codecs(before, after, [PSNR], codec_pairs(before, after, codecs)))


def only(before: pd.DataFrame, after: pd.DataFrame, *codecs: str) -> pd.Series:
    """The one row of a comparison."""
    found = compare(before, after, codecs)
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("rate", "spread", "expected"), [(0.9, 0.02, "better"), (1.1, 0.02, "worse"), (1.0, 0.1, "undecided")]
)
def test_the_verdict_is_that_of_the_interval(rate: float, spread: float, expected: str) -> None:
    row = only(results(), results(rate=rate, spread=spread))
    assert row["verdict"] == expected
    assert row["low"] < row["bd_rate"] < row["high"]
    assert (row["low"] < 0 < row["high"]) == (expected == "undecided")
    assert row["bd_rate"] == pytest.approx(100 * (rate - 1), abs=8)
    assert np.sign(row["bd_metric"]) == -np.sign(row["bd_rate"])
    assert (row["n"], row["points"], row["changed"], row["reason"]) == (6, 30, 30, "")


def test_a_codec_that_gives_what_it_gave_is_the_same() -> None:
    row = only(results(2), results(2))
    assert (row["verdict"], row["changed"], row["points"]) == ("same", 0, 10)


def test_equal_bytes_that_decode_to_other_pixels_are_not_the_same() -> None:
    row = only(results(), results(pixels_sha256="other"))
    assert (row["verdict"], row["changed"]) == ("undecided", 0)


def test_points_that_one_run_alone_asks_for_change_nothing() -> None:
    for before, after in ((5, 6), (6, 5)):
        row = only(results(points=before), results(points=after))
        assert (row["verdict"], row["points"], row["unpaired"]) == ("same", 30, 6)


ELSEWHERE = {
    "both ask for others": lambda t: t["quality"] == 4,
    "one picture's only": lambda t: (t["quality"] == 4) & (t["sample"] == "0.png"),
    "all of one picture": lambda t: t["sample"] == "0.png",
}


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.parametrize("pictures", [1, 6])
def test_points_found_at_other_qualities_are_not_the_same(case: str, pictures: int) -> None:
    before = results(pictures, points=6)
    elsewhere = ELSEWHERE[case](before)
    longer = before["bytes"].where(~elsewhere, before["bytes"] * 1.2 + 60).round().astype("Int64")
    after = before.assign(quality=before["quality"] + 0.5 * elsewhere, bytes=longer, bpp=8 * longer.astype(float) / 1e6)
    after["stream_sha256"] = after["stream_sha256"].astype(object) + np.where(elsewhere, " longer", "")
    row = only(before, after)
    assert row["verdict"] != "same"
    assert (row["changed"], row["unpaired"]) == (0, 2 * elsewhere.sum())
    assert row["points"] == (~elsewhere).sum()
    assert row["bd_rate"] > 0  # the curves are those of all points


def test_points_that_one_matched_run_lacks_are_not_the_same() -> None:
    before = results()
    row = only(before, before[~((before["quality"] == 4) & (before["sample"] == "0.png"))])
    assert (row["verdict"], row["unpaired"]) == ("undecided", 1)


@pytest.mark.parametrize("status", ["failed", "unsupported"])
def test_points_that_fail_as_they_did_are_no_change(status: str) -> None:
    one = with_failure(status)
    assert (only(one, one)["verdict"], only(one, one)["broken"]) == ("same", 0)


def test_points_that_are_not_measured_now_are_not_the_same() -> None:
    status = results(2)["status"].astype(object)
    row = only(results(2), results(2).assign(status=status.where(status.index != 0, "missing")))
    assert (row["verdict"], row["changed"]) == ("undecided", 0)


def test_one_metric_whose_scores_changed_leaves_the_others_the_same() -> None:
    metrics = [PSNR, load().metric("ms-ssim")]
    before = results().assign(ms_ssim=lambda t: 1 - 1 / t["psnr"])
    after = before.assign(ms_ssim=before["ms_ssim"] - 0.001)
    table = comparison_table(compare_codecs(before, after, metrics, codec_pairs(before, after, [])))
    assert list(table["verdict"]) == ["same", "worse"]


def with_failure(status: str) -> pd.DataFrame:
    table = results(6, rate=1.2, spread=0.01)
    first = (table["sample"] == "0.png").to_numpy()
    table["status"] = table["status"].astype(object)
    table.loc[first, "status"] = status
    table.loc[first, ["bpp", "psnr"]] = np.nan
    return table


UNCLEAR = {
    "one picture": (results(1), results(1, rate=1.2), "1 picture with a BD-rate; an interval needs 5"),
    "four pictures": (results(4), results(4, rate=1.2), "4 pictures with a BD-rate; an interval needs 5"),
    "few points": (results(points=3), results(points=3, rate=1.2), "before has 3 usable points, 4 are needed"),
    "no overlap": (results(), results(psnr=90.0, rate=1.2), "after has 1 usable point"),
    "far apart": (results(), results(rate=1.2).assign(psnr=lambda t: t["psnr"] + 60), "the curves have no overlap"),
    "no values": (results(), results(rate=1.2).assign(psnr=np.nan), "after has no value of psnr"),
    "lossless": (results(points=1).assign(quality=np.nan), results(points=1, rate=1.2).assign(quality=np.nan),
                 "lossless, so there is no curve; its size changed by +20.00 % over 6 pictures"),
    "lossless now": (results(), results(points=1).assign(quality=np.nan), "after is lossless and has no curve"),
    "no picture in both": (results(), results(sample_sha256="another"), "the two runs share no picture"),
    "another data set": (results(), results(sample_sha256="another", dataset="e"), "the two runs share no picture"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_cannot_be_decided_has_a_reason(case: str) -> None:
    before, after, reason = UNCLEAR[case]
    row = only(before, after)
    assert row["verdict"] == "undecided"
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert reason in row["reason"]


@pytest.mark.parametrize(("status", "broken"), [("failed", 5), ("crashed", 5), ("unsupported", 5), ("missing", 0)])
def test_points_that_fail_now_are_counted(status: str, broken: int) -> None:
    row = only(results(6), with_failure(status))
    assert (row["broken"], row["points"], row["n"], row["verdict"]) == (broken, 25, 5, "worse")


def test_pictures_are_paired_by_their_pixels() -> None:
    after = results(rate=1.2, spread=0.01, dataset="folder:/elsewhere/d")
    after["sample"] = after["sample"].cat.rename_categories({"0.png": "renamed.png"})
    row = only(results(), after)
    assert (row["dataset"], row["n"], row["verdict"]) == ("folder:/elsewhere/d", 6, "worse")


def test_a_picture_that_changed_under_its_name_is_not_compared() -> None:
    after = results(rate=1.2, spread=0.01)
    digests = after["sample_sha256"].astype(object)
    digests[(after["sample"] == "0.png").to_numpy()] = "other pixels"
    assert only(results(), after.assign(sample_sha256=digests))["n"] == 5


def test_a_table_without_digests_is_paired_by_names() -> None:
    before = results().assign(sample_sha256=pd.Series(None, dtype="category"))
    assert only(before, results(rate=1.2, spread=0.01))["n"] == 6


def test_tables_of_an_earlier_release_need_no_digests() -> None:
    before, after = (results(rate=rate, spread=0.01).assign(stream_sha256=None) for rate in (1.0, 1.2))
    row = only(before, after)
    assert (row["verdict"], row["changed"]) == ("worse", 0)
    assert only(before, before)["verdict"] == "undecided"
    without = results().assign(bytes=pd.array([None] * 30, dtype="Int64"))
    assert only(without, results(rate=1.2))["changed"] == 30


def test_equal_pictures_under_two_names_are_paired_once_each() -> None:
    twice = results(sample_sha256="one picture")
    assert only(twice, results(rate=1.2, spread=0.01, sample_sha256="one picture"))["n"] == 6


TIMED: dict[str, Any] = {"timing": "timed", "host": "h", "threads": 1, "batch": 1, "encode_s": 0.2, "decode_s": 0.1}


def test_speeds_are_compared_where_both_were_timed_on_one_host() -> None:
    row = only(results(**TIMED), results(rate=1.1, **TIMED | {"encode_s": 0.1, "decode_s": 0.2}))
    assert (row["encode_speed"], row["decode_speed"]) == pytest.approx((2, 0.5))
    for other in ({"host": "another"}, {"timing": "indicative"}, {"timing": "disturbed"}, {"threads": 8}, {"batch": 4}):
        assert np.isnan(only(results(**TIMED), results(rate=1.1, **TIMED | other))["encode_speed"])


def test_codecs_are_named_by_label_or_id() -> None:
    both = pd.concat([results(label="q=1"), results(rate=1.2, spread=0.01, label="q=1 x=2")], ignore_index=True)
    assert list(compare(both, both)["after"]) == ["q=1", "q=1 x=2"]
    row = only(both, both, "q=1=q=1 x=2")
    assert (row["before"], row["after"], row["verdict"]) == ("q=1", "q=1 x=2", "worse")
    assert only(both, both, "q=1")["verdict"] == "same"
    assert only(results(label="a"), results(label="b"), "mine")["after"] == "b"


@pytest.mark.parametrize(
    ("codecs", "words"),
    [(["min"], "before has no codec 'min'; did you mean 'mine'"), (["mine=other"], "after has no codec 'other'"),
     (["zzz"], "it has mine")],
)  # fmt: skip
def test_an_unknown_codec_is_named(codecs: list[str], words: str) -> None:
    with pytest.raises(UnknownIdError, match=words):
        compare(results(), results(), codecs)


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(UnknownIdError, match="no codec is in both runs: before has a, after has b"):
        compare(results(label="a"), results(label="b"))
    with pytest.raises(UnknownIdError, match=r"; both have psnr; add it to the plan and run again$"):
        common_metrics([PSNR], [PSNR], ["ms-ssim"])
    with pytest.raises(UnknownIdError, match=r"is not in both runs; did you mean 'psnr'\?$"):
        common_metrics([PSNR], [PSNR], ["psn"])
    with pytest.raises(UnknownIdError, match="no metric in common"):
        common_metrics([], [PSNR], [])
    several = pd.concat([results(label="a"), results(label="b")], ignore_index=True)
    with pytest.raises(UnknownIdError, match="several codecs 'mine'; take one of a, b"):
        compare(several, several, ["mine"])
