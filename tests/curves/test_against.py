"""BD-rates against an anchor: a reason wherever a number is null, and columns of numbers whatever is null."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchbox.curves import common_curves, mean_curves, rates_against
from benchbox.registry import load

PSNR = load().metric("psnr")
SHAPE = {"dataset": "object", "metric": "object", "label": "object", "bd_rate": "float64", "pictures": "float64",
         "low": "float64", "high": "float64", "n": "int64", "overlap": "float64", "reason": "object"}  # fmt: skip


def frame(pictures: int, points: int = 5, shift: float = 0.0, spread: float = 0.0, dataset: str = "d") -> pd.DataFrame:
    """Codecs a and b on `pictures` pictures; b needs 0.8 times the bits and reaches `shift` dB higher; each picture's
    quality lies `spread` dB above the last one's."""
    rows = [
        {"dataset": dataset, "label": label, "codec": label, "sample": f"{k}.png", "quality": float(q), "status": "ok",
         "reason": "", "null_reasons": "", "bpp": scale * 0.1 * 2.0**q,
         "psnr": 28.0 + 3 * q + shift * (label == "b") + spread * k * (label == "b")}
        for label, scale in (("a", 1.0), ("b", 0.8)) for k in range(pictures) for q in range(points)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def missing(table: pd.DataFrame) -> pd.DataFrame:
    """`table` where b failed on the first picture throughout."""
    first = (table["label"] == "b") & (table["sample"] == "0.png")
    table.loc[first, "status"] = "failed"
    for column in ("bpp", "psnr"):
        table.loc[first, column] = np.nan
    return table


FRAMES = {
    "enough pictures": (frame(6), ""),
    "one picture": (frame(1), "1 picture with a BD-rate; an interval needs 5"),
    "four pictures": (frame(4), "4 pictures with a BD-rate; an interval needs 5"),
    "few points": (frame(6, points=3), "3 usable points, 4 are needed"),
    "no overlap": (frame(6, shift=30.0), "the curves have no overlap"),
    "a picture that failed": (missing(frame(5)), "4 pictures with a BD-rate; an interval needs 5"),
    "no overlap picture by picture": (frame(3, shift=-40.0, spread=40.0), "BD-rate"),
    "one codec absent from a second set": (
        pd.concat([frame(6), frame(6, dataset="e").query("label == 'b'")]), "a has no curve on this data set"),
    "no value at all": (frame(6).assign(psnr=np.nan), "0 usable points"),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMES)
def test_a_null_has_a_reason_and_columns_are_numbers(case: str) -> None:
    table, reason = FRAMES[case]
    found = rates_against(table, [PSNR], "a")
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == SHAPE
    assert list(found["label"]) == ["b"] * table["dataset"].nunique()
    null = found[["bd_rate", "pictures", "low", "high"]].isna().any(axis=1)
    assert (null == (found["reason"] != "")).all()
    assert reason in found["reason"].iloc[-1]
    assert bool(null.iloc[-1]) == bool(reason)


def test_each_null_is_named() -> None:
    found = rates_against(frame(3, points=3), [PSNR], "a").iloc[0]
    assert found["reason"] == ("a has 3 usable points, 4 are needed; no picture has a BD-rate: "
                               "a has 3 usable points, 4 are needed")


def test_without_another_codec_the_columns_stand() -> None:
    alone = frame(6)
    found = rates_against(alone[alone["label"] == "a"], [PSNR], "a")
    assert len(found) == 0
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == SHAPE


def test_each_pair_is_compared_on_the_pictures_that_it_shares() -> None:
    """Also where no picture is common to all: a and c have none in common, b has all of both."""
    whole = frame(6)
    table = pd.concat([
        whole[(whole["label"] == "a") & whole["sample"].isin(["0.png", "1.png", "2.png"])],
        whole[whole["label"] == "b"],
        whole[(whole["label"] == "a") & whole["sample"].isin(["3.png", "4.png", "5.png"])].assign(label="c", codec="c"),
    ], ignore_index=True)  # fmt: skip
    found = rates_against(table, [PSNR], "a").set_index("label")
    assert found.loc["b", "pictures"] == pytest.approx(-20)
    assert list(found["n"]) == [3, 0]
    assert found["bd_rate"].isna().all()
    assert "no picture has a BD-rate" in str(found.loc["c", "reason"])
    assert list(rates_against(table, [PSNR], "b")["n"]) == [3, 3]
    means, kept, left_out = common_curves(table, PSNR)
    assert kept.empty
    assert len(left_out) == 6
    assert [(curve.label, len(curve.quality), bool(curve.usable.any())) for curve in means] == [
        ("a", 5, False), ("b", 5, False), ("c", 5, False)]  # fmt: skip
    alike = common_curves(whole, PSNR)[0]
    assert [list(curve.raw) for curve in alike] == [list(curve.raw) for curve in mean_curves(whole, PSNR)]
