"""Which speeds are drawn against BD-rates, and which are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchbox_reports.pareto import DrawnSpeeds, drawn_speeds
from benchbox_reports.speeds import measure_speeds
from hostile_report import SCRIPT

from benchbox.report import Results


def test_speeds_that_cannot_be_compared_are_refused(results: Results) -> None:
    frame, labels = results.frame, ("jpeg", SCRIPT)

    def drawn(**columns: Any) -> DrawnSpeeds:
        changed = replace(results, frame=frame.assign(**columns))
        (one,) = drawn_speeds(changed, measure_speeds(changed, labels)).values()
        return one

    jpeg = frame["label"] == "jpeg"
    none = drawn(timing="disturbed")
    assert none.sides == {"encode": {}, "decode": {}}
    assert "Times that were taken while other work ran are refused" in none.notes[0]
    two = drawn(timing="timed", host=np.where(jpeg, "ant", "bee"))
    assert two.sides["encode"] == {}
    assert "2 hosts (ant, bee)" in two.notes[0]
    assert "one batch size" in drawn(timing="timed", batch=np.where(jpeg, 1, 8)).notes[0]
    partly = drawn(timing=np.where(jpeg & (frame["quality"] == 10), "disturbed", "timed"))
    assert list(partly.sides["encode"]) == [SCRIPT]
    assert "jpeg (20 of 25 points)" in partly.notes[1]
    few = drawn(timing=np.where(frame["quality"] == 10, "timed", "indicative"))
    assert few.sides == {"encode": {}, "decode": {}}
    assert few.notes[0].startswith("Not drawn: 5 of 50 points have usable times, and of no codec all")
    alike = frame["sample"].isin(frame["sample"].unique()[:2]) & frame["quality"].isin([30, 50, 70])
    some = drawn(timing=np.where(alike, "timed", "indicative"))
    assert set(some.sides["encode"]) == {"jpeg", SCRIPT}
    assert some.few == "2 of 5 pictures"
    assert "on 2 of 5 pictures, the same for each codec" in some.notes[0]
    others = frame["sample"].isin(frame["sample"].unique()[1:3]) & frame["quality"].isin([30, 50, 70])
    unlike = [np.where(jpeg, others, alike), alike & ~(jpeg & (frame["quality"] == 50)),
              alike & ~(jpeg & (frame["quality"] == 50) & (frame["sample"] == frame["sample"].iloc[0])),
              np.where(jpeg, frame["quality"] <= 50, frame["quality"] >= 50) & frame["sample"].isin(["a.png", "b.png"]),
              np.where(jpeg, frame["quality"] <= 50, frame["quality"] >= 50)]
    for timed in unlike:  # on other pictures, at two qualities, at unlike qualities, at the lowest and the highest ones
        assert drawn(timing=np.where(timed, "timed", "indicative")).sides == {"encode": {}, "decode": {}}
    all_pictures = drawn(timing=np.where(frame["quality"].isin([30, 50, 70]), "timed", "indicative"))
    assert all_pictures.few == "some of the qualities"
    assert "on all pictures, the same for each codec, at some of its qualities" in all_pictures.notes[0]
    hard, easy = frame["sample"] == "a.png", frame["sample"] == "b.png"
    failed = drawn(timing="timed", status=np.where(jpeg & ~hard, "failed", "ok"))
    assert list(failed.sides["encode"]) == [SCRIPT], "one that went through on a picture alone is not the fastest"
    assert failed.notes[1].endswith("of the others: jpeg (5 of 25 points).")
    assert set(drawn(timing="timed", status=np.where(hard, "failed", "ok")).sides["encode"]) == {"jpeg", SCRIPT}
    gaps = drawn(timing="timed", status=np.where(jpeg & easy & (frame["quality"] == 10), "crashed", "ok"))
    assert gaps.notes[1].endswith("jpeg (24 of 25 points).")
    median, low, high = drawn(timing="timed").sides["decode"]["jpeg"]
    speed = 61 * 83 / 1e6 / frame["decode_s"][jpeg]
    assert (low, median, high) == pytest.approx(speed.quantile([0.25, 0.5, 0.75]).tolist())
