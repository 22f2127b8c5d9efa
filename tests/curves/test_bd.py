"""Bjøntegaard deltas: against the package bjontegaard, against closed forms, and curves that give no number."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import bjontegaard
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from benchbox.curves import (
    INTERPOLATIONS,
    Curve,
    PictureTable,
    RateTable,
    bd_metric,
    bd_rate,
    bootstrap_interval,
    envelope,
    percent,
)
from benchbox.errors import UsageError


def curve(
    bpp: ArrayLike, value: ArrayLike, label: str = "a", better: Literal["higher", "lower"] = "higher",
    sample: str | None = None,
) -> Curve:
    rates, values = np.asarray(bpp, dtype=float), np.asarray(value, dtype=float)
    ones = np.ones(len(rates), dtype=np.int64)
    return Curve("d", label, label, "psnr", better, sample, np.arange(len(rates), dtype=float), rates, values, values,
                 ones, 0 * ones)


def log_curve(
    scale: float = 1.0, low: float = 0.1, high: float = 3.0, points: int = 9, slope: float = 6.0, **more: Any
) -> Curve:
    """psnr = 30 + slope * log10(bpp / scale): at equal psnr its bpp is `scale` times that of scale 1."""
    bpp = np.geomspace(low, high, points) * scale
    return curve(bpp, 30 + slope * np.log10(bpp / scale), **more)


# curves like real ones: saturating, unequal numbers of points, unequal ranges
REAL = [
    ([0.17, 0.26, 0.42, 0.61, 0.85, 1.21, 1.94], [22.1, 25.0, 28.1, 30.0, 31.6, 33.4, 36.2]),
    ([0.11, 0.2, 0.33, 0.55, 0.9, 1.6], [23.3, 26.1, 28.4, 30.9, 33.2, 37.1]),
    ([0.3, 0.5, 0.8, 1.1, 2.2, 4.0, 6.1, 6.5], [26.2, 29.0, 31.1, 32.7, 37.0, 42.0, 47.3, 47.9]),
]


@pytest.mark.parametrize("method", INTERPOLATIONS)
@pytest.mark.parametrize(("i", "j"), [(0, 1), (1, 0), (0, 2), (2, 1)])
def test_the_package_bjontegaard_agrees(method: str, i: int, j: int) -> None:
    anchor, test = curve(*REAL[i]), curve(*REAL[j])
    package = {"method": method, "require_matching_points": False, "min_overlap": 0}
    ours = bd_rate(anchor, test, method)
    assert ours.value == pytest.approx(bjontegaard.bd_rate(*REAL[i], *REAL[j], **package), rel=1e-9, abs=1e-9)
    ours = bd_metric(anchor, test, method)
    assert ours.value == pytest.approx(bjontegaard.bd_psnr(*REAL[i], *REAL[j], **package), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_the_mean_of_log_ratios_is_bd_rate(method: str, better: Literal["higher", "lower"]) -> None:
    sign = 1 if better == "higher" else -1
    table = RateTable([curve(bpp, sign * np.array(values), better=better) for bpp, values in REAL], method)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        bd = table.bd(i, j)
        assert bd.low is not None
        assert bd.high is not None
        at = np.linspace(bd.low, bd.high, 20_001)
        assert np.mean(table.log_ratios(i, j, (at[1:] + at[:-1]) / 2)) == pytest.approx(bd.log_ratio, abs=1e-6)
        outside = np.array([bd.low - 0.01, bd.high + 0.01])
        assert np.isnan(table.log_ratios(i, j, outside)).all()


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_the_package_agrees_on_published_curves(method: str, literature: Path) -> None:
    curves = [(c["codec"], c["bpp"], c["psnr_rgb"]) for c in json.loads((literature / "kodak.json").read_text())
              if c.get("psnr_rgb") and None not in c["psnr_rgb"] and len(c["bpp"]) >= 6]
    curves = [c for c in curves if (np.diff(c[1]) > 0).all() and (np.diff(c[2]) > 0).all()][:30]
    assert len(curves) > 10
    table = RateTable([curve(bpp, psnr, name) for name, bpp, psnr in curves], method)
    compared = 0
    for i, (_, bpp_a, psnr_a) in enumerate(curves):
        for j, (_, bpp_t, psnr_t) in enumerate(curves):
            if table.overlaps[i, j] > 0.3 and not table.reason(i, j):
                theirs = bjontegaard.bd_rate(bpp_a, psnr_a, bpp_t, psnr_t, method, require_matching_points=False,
                                             min_overlap=0)
                assert table.bd(i, j).value == pytest.approx(theirs, rel=1e-6, abs=1e-8)
                compared += 1
    assert compared > 100


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_closed_forms(method: str) -> None:
    half = bd_rate(log_curve(), log_curve(0.5), method)
    assert half.value == pytest.approx(-50, abs=1e-9)
    assert half.log_ratio == pytest.approx(np.log10(0.5))
    assert bd_metric(log_curve(), log_curve(0.5), method).value == pytest.approx(6 * np.log10(2))
    assert bd_rate(log_curve(), log_curve(), method).value == pytest.approx(0, abs=1e-12)
    assert (half.overlap, half.flags, half.reason) == (1.0, (), "")


def test_against_each_other_two_curves_agree() -> None:
    a, b = curve(*REAL[0]), curve(*REAL[1])
    forth, back = bd_rate(a, b).value, bd_rate(b, a).value
    assert forth is not None
    assert back is not None
    assert (1 + forth / 100) * (1 + back / 100) == pytest.approx(1)


def test_where_less_is_better() -> None:
    """A distance metric: the same curve with the sign turned round gives the same rate and the opposite gain."""
    bpp, value = REAL[0]
    bpp_t, value_t = REAL[1]
    up = bd_rate(curve(bpp, value), curve(bpp_t, value_t))
    down = bd_rate(curve(bpp, -np.array(value), better="lower"), curve(bpp_t, -np.array(value_t), better="lower"))
    assert down.value == pytest.approx(up.value)
    assert up.low is not None
    assert up.high is not None
    assert [down.low, down.high] == pytest.approx([-up.high, -up.low])
    gain = bd_metric(curve(bpp, value), curve(bpp_t, value_t)).value
    loss = bd_metric(curve(bpp, -np.array(value), better="lower"), curve(bpp_t, -np.array(value_t), better="lower"))
    assert gain is not None
    assert loss.value == pytest.approx(-gain)


def test_the_overlap_is_reported_and_flagged() -> None:
    """30..34 dB and 33..40 dB share 1 dB of the 10 that either covers."""
    a, b = curve([1, 2, 3, 4, 5], [30, 31, 32, 33, 34]), curve([3, 4, 5, 6, 7], [33, 34, 36, 38, 40])
    result = bd_rate(a, b)
    assert (result.low, result.high) == (33, 34)
    assert result.overlap == pytest.approx(0.1)
    assert result.flags == ("overlap", "few points")
    assert result.value is not None


@pytest.mark.parametrize(("bpp", "value", "reason"), [
    ([1, 2, 3, 4], [50, 51, 52, 53], "the curves have no overlap"),
    ([1, 2, 3, 4], [36.2, 51, 52, 53], "the curves have no overlap"),
    ([1, 2, 3, 4], [36.1, 51, 52, 53], "the curves overlap by less than 1%"),
    ([1, 2, 3], [25, 30, 35], "b has 3 usable points, 4 are needed"),
    ([1, 2, 3, 4], [25, 30, 35, np.nan], "b has 3 usable points, 4 are needed"),
    ([0, 2, 3, np.nan], [25, 30, 35, 40], "b has 2 usable points, 4 are needed"),
    ([1, 1, 1, 2, 2], [25, 25, 25, 30, 30], "b has 2 usable points, 4 are needed"),
    ([1, 2, 3, 4], [35, 34, 33, 32], "b has 1 usable point, 4 are needed"),
    ([], [], "b has 0 usable points, 4 are needed"),
])
def test_no_number_comes_with_a_reason(bpp: list[float], value: list[float], reason: str) -> None:
    for result in (bd_rate(curve(*REAL[0]), curve(bpp, value, "b")), bd_rate(curve(bpp, value, "b"), curve(*REAL[0]))):
        assert result.value is None
        assert result.log_ratio is None
        assert result.reason == reason


def test_a_polynomial_that_leaves_its_points_has_no_number() -> None:
    """A least-squares cubic through a step swings far out between its points; PCHIP does not."""
    step = curve([1, 1.01, 1.02, 1.03, 1000], [20, 20.1, 20.2, 20.3, 60], "step")
    flat = curve([1, 1.1, 1.2, 1.3], [30, 33, 36, 39], "flat")
    assert bd_rate(flat, step, "pchip").value is not None
    result = bd_rate(flat, step, "cubic")
    assert result.log_ratio is None or abs(result.log_ratio) <= 3 + 1e-6
    far = curve([1, 2, 2.1, 2.2, 2.3, 1e9], [0, 1, 1.1, 1.2, 1.3, 100], "far")
    assert bd_rate(far, curve([1, 1.1, 1.2, 1.3], [30, 40, 50, 60], "near"), "cubic").reason in (
        "", "the cubic fit leaves the range of its points")


def test_dominated_points_are_dropped_and_counted() -> None:
    bpp, value = REAL[0]
    clean = bd_rate(curve(*REAL[1]), curve(bpp, value))
    noisy = bd_rate(curve(*REAL[1]), curve([*bpp, 0.5, 2.5, 0.17], [*value, 24.0, 36.2, 22.1]))
    assert noisy.value == pytest.approx(clean.value)
    assert clean.flags == ()
    assert noisy.flags == ("non-monotone",)
    assert noisy.dropped == 2  # 0.5 and 2.5 bpp; the exact duplicate is one point


def test_the_envelope_is_the_upper_left() -> None:
    bpp = np.array([3.0, 1.0, 2.0, 2.0, 4.0, 1.0])
    gain = np.array([31.0, 30.0, 32.0, 33.0, 33.0, 29.0])
    assert envelope(bpp, gain).tolist() == [1, 3]


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(UsageError, match=r"no BD interpolation is called 'spline'; take one of pchip, akima, cubic"):
        bd_rate(curve(*REAL[0]), curve(*REAL[1]), "spline")


points = st.lists(st.tuples(st.floats(1e-3, 100), st.floats(-20, 60) | st.just(np.nan)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(points, points, st.sampled_from([*INTERPOLATIONS]))
def test_whatever_the_points_the_answer_is_a_sane_number_or_a_reason(
    one: list[tuple[float, float]], two: list[tuple[float, float]], method: str
) -> None:
    a, b = (curve([p[0] for p in ps], [p[1] for p in ps], name) for ps, name in ((one, "a"), (two, "b")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forth, back, gain = bd_rate(a, b, method), bd_rate(b, a, method), bd_metric(a, b, method)
    assert (forth.value is None) == (forth.reason != "") == (back.value is None)
    if forth.log_ratio is not None and back.log_ratio is not None:
        used = np.r_[a.bpp[a.usable], b.bpp[b.usable]]
        reach = np.log10(used.max() / used.min())
        assert abs(forth.log_ratio) <= reach + 1e-6
        assert forth.log_ratio == pytest.approx(-back.log_ratio, abs=1e-12)
        assert 0 < forth.overlap <= 1
    assert gain.value is None or np.isfinite(gain.value)


def test_pictures_are_averaged_as_log_ratios() -> None:
    """Half the bits on one picture and double on the other is a draw, not +25 %."""
    curves = [log_curve(1.0, label="a", sample="1"), log_curve(1.0, label="a", sample="2"),
              log_curve(0.5, label="b", sample="1"), log_curve(2.0, label="b", sample="2")]
    result = PictureTable(curves).summary("a", "b")
    assert result.mean == pytest.approx(0, abs=1e-9)
    assert result.median == pytest.approx(0, abs=1e-9)
    assert (result.won, result.n) == (0.5, 2)
    assert result.interval is None  # two pictures say nothing of others


def random_table(
    pictures: int = 24, seed: int = 3, method: str = "pchip"
) -> tuple[PictureTable, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    ratios = 10 ** rng.normal(-0.1, 0.05, pictures)
    curves = [log_curve(1.0, label="a", sample=str(k)) for k in range(pictures)]
    curves += [log_curve(ratios[k], label="b", sample=str(k)) for k in range(pictures)]
    return PictureTable(curves, method), ratios


def test_summary_over_pictures() -> None:
    table, ratios = random_table()
    forth, back = table.summary("a", "b"), table.summary("b", "a")
    assert forth.mean is not None
    assert back.mean is not None
    assert forth.interval is not None
    assert back.interval is not None
    assert forth.mean == pytest.approx(percent(np.log10(ratios).mean()))
    assert forth.median == pytest.approx(percent(np.median(np.log10(ratios))))
    assert forth.won == np.mean(ratios < 1)
    assert forth.n == 24
    assert list(forth.range or ()) == pytest.approx([24, 30 + 6 * np.log10(3)])
    assert forth.interval[0] < forth.mean < forth.interval[1]
    assert (1 + forth.mean / 100) * (1 + back.mean / 100) == pytest.approx(1)
    assert (1 + forth.interval[0] / 100) * (1 + back.interval[1] / 100) == pytest.approx(1)
    assert random_table()[0].summary("a", "b") == forth  # seeded
    assert table.summary("a", "a").mean == pytest.approx(0)


def test_pictures_without_a_number_are_named() -> None:
    curves = [log_curve(1.0, label="a", sample=s) for s in "123"]
    curves += [log_curve(0.5, label="b", sample="1"), curve([1, 2, 3], [1, 2, 3], "b", sample="2")]
    result = PictureTable(curves).summary("a", "b")
    assert result.mean == pytest.approx(-50)
    assert result.n == 1
    assert dict(result.left_out) == {"2": "b has 3 usable points, 4 are needed", "3": "b has no curve"}
    none = PictureTable([c for c in curves if c.sample != "1"]).summary("a", "b")
    assert none.mean is None
    assert none.n == 0
    assert none.reason == "no picture has a BD-rate: b has 3 usable points, 4 are needed"


def test_the_matrix_is_the_pairs() -> None:
    curves = [log_curve(scale, label=label, sample=s, points=points)
              for label, scale, points in (("a", 1, 9), ("b", 0.7, 5), ("c", 1.3, 12)) for s in "12345"]
    table = PictureTable(curves)
    assert table.log_ratios.shape == (5, 3, 3)
    for i, x in enumerate(curves[::5]):
        for j, y in enumerate(curves[::5]):
            assert table.log_ratios[0, i, j] == pytest.approx(bd_rate(x, y).log_ratio)
    assert table.means == pytest.approx(-table.means.T)
    assert table.intervals[0] == pytest.approx(-table.intervals[1].T)


@pytest.mark.parametrize(("n", "least"), [(5, 0.90), (8, 0.91), (24, 0.92)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(n: int, least: float) -> None:
    """Nominal 95 %, on normal data and on an exponential, which is more skewed than log ratios are."""
    truth, trials = 1.0, 1200
    samples = np.random.default_rng(11).exponential(1.0, (n, trials))
    low, high = bootstrap_interval(samples, seed=5, resamples=4000)
    normal = np.random.default_rng(12).normal(truth, 1.0, (n, trials))
    low_n, high_n = bootstrap_interval(normal, seed=5, resamples=4000)
    assert np.mean((low_n <= truth) & (truth <= high_n)) >= least + 0.01
    assert np.mean((low <= truth) & (truth <= high)) >= least - 0.06
    assert np.mean((low_n <= truth) & (truth <= high_n)) <= 0.98
