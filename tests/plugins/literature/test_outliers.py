"""A curve in the wrong unit, under the wrong metric or on the wrong data set lies far off the others and is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchbox_literature import benchbox_references, clean
from benchbox_literature.outliers import outliers

from benchbox import Reference
from benchbox.errors import DatasetError

Values = tuple[float | None, ...]


def test_no_curve_that_we_ship_lies_far_off() -> None:
    assert outliers(benchbox_references()) == []


def test_ms_ssim_that_its_source_calls_psnr_is_ms_ssim() -> None:
    kept = {c.id: c for c in benchbox_references() if c.dataset == "clic2020-professional-valid"}["stf-ms-ssim"]
    assert set(kept.metrics) == {"ms-ssim"}
    assert kept.metrics["ms-ssim"][0] == pytest.approx(1 - 10**-1.479, abs=1e-6)
    assert "MS-SSIM in decibels, as PSNR" in kept.caution


def test_uncorrected_it_is_refused_by_name(literature: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected = [e for name in ("kodak", "other") for e in json.loads((literature / f"{name}.json").read_text())]
    other = [e | {"source": "elsewhere"} if e["source"] in clean.MISLABELLED else e for e in collected]
    with pytest.raises(DatasetError, match=r"stf.* on clic2020-professional-valid: its psnr lies 16\.\d dB below"):
        clean.clean(other)


def decibels(values: Values) -> Values:
    return tuple(None if v is None else float(-10 * np.log10(1 - v)) for v in values)


@pytest.mark.parametrize("dataset", ["kodak", "tecnick", "clic2020-professional-valid", "clic2020-mobile-test"])
@pytest.mark.parametrize(("metric", "wrong", "change"), [
    ("ms-ssim", "psnr", decibels),
    ("psnr", "psnr", lambda values: tuple(v and 20 * np.log10(2**8) - v for v in values)),  # an error in decibels
    ("psnr", "psnr", lambda values: tuple(v and v / 2 for v in values)),
    ("ms-ssim", "ms-ssim", lambda values: tuple(v and v**30 for v in values)),
])  # fmt: skip
def test_a_metric_under_another_name_is_found(
    dataset: str, metric: str, wrong: str, change: Callable[[Values], Values]
) -> None:
    curves = [c for c in benchbox_references() if c.dataset == dataset]
    place = next(k for k, c in enumerate(curves) if metric in c.metrics and len(c.bpp) >= 4)
    curves[place] = replace(curves[place], metrics={wrong: change(curves[place].metrics[metric])})
    found = outliers(curves)
    assert [(one.id, one.dataset, one.metric) for one in found] == [(curves[place].id, dataset, wrong)]


def test_rates_in_another_unit_are_found() -> None:
    curves = [c for c in benchbox_references() if c.dataset == "kodak" and "psnr" in c.metrics]
    curves[3] = replace(curves[3], bpp=tuple(b / 8 for b in curves[3].bpp))
    assert {one.id for one in outliers(curves)} == {curves[3].id}


def test_few_curves_are_not_judged() -> None:
    curve = Reference("x", "X", "d", "", "", (0.1, 1.0), {"psnr": (30.0, 40.0)})
    assert outliers([curve, replace(curve, id="y", metrics={"psnr": (1.0, 2.0)})]) == []
