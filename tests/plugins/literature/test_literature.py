"""The published curves are complete and sound, and carry their cautions."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from benchbox_literature import benchbox_references, clean

from benchbox.errors import DatasetError, PluginError
from benchbox.registry import load


def test_ids_that_comparisons_name() -> None:
    kodak = {curve.id: curve for curve in benchbox_references() if curve.dataset == "kodak"}
    for name in ("vtm", "bpg444", "av1", "bmshj2018-hyperprior", "mbt2018", "elic2022", "cheng2020-attn"):
        assert name in kodak
    assert "8-bit" not in kodak["bmshj2018-hyperprior"].id
    assert "optimistic" in kodak["vtm"].caution


def test_every_curve_is_sound() -> None:
    for curve in benchbox_references():
        assert curve.source
        assert curve.convention
        assert all(a <= b for a, b in itertools.pairwise(curve.bpp))
        assert set(curve.metrics) <= {"psnr", "ms-ssim"}
        assert curve.metrics
        for values in curve.metrics.values():
            assert len(values) == len(curve.bpp)
        assert "not a codec" not in curve.title


def test_each_id_stands_once_for_a_data_set() -> None:
    places = [(curve.dataset, curve.id) for curve in benchbox_references()]
    assert len(set(places)) == len(places)


def test_the_file_is_what_the_collection_gives(literature: Path) -> None:
    collected = [e for name in ("kodak", "other") for e in json.loads((literature / f"{name}.json").read_text())]
    made = clean.clean(collected)
    assert len(made) == len(collected) - 4  # bounds on the rate-distortion function, which no codec wrote
    kept = json.loads(Path(clean.__file__).with_name("curves.json").read_text(encoding="utf-8"))
    assert kept == made


@pytest.mark.parametrize("change", [{"bpp": [0.1, -1.0]}, {"psnr_rgb": [30.0]}, {"ms_ssim": [0.9, 1.2]}])
def test_a_broken_curve_is_named(change: dict[str, list[float]]) -> None:
    entry = {"codec": "X", "source": "s", "dataset": "kodak", "metric_optimisation": "mse", "color_space_note": "RGB",
             "bpp": [0.1, 0.2], "psnr_rgb": [30.0, 31.0], "ms_ssim": None, "provenance_kind": "measured"}  # fmt: skip
    assert clean.clean([entry])[0]["id"] == "x"
    with pytest.raises(DatasetError, match="published curve X"):
        clean.clean([entry | change])


def test_two_plugins_may_not_offer_one_curve_twice() -> None:
    import benchbox_literature as plugin

    copy = type(plugin)("copy_of_literature")
    copy.__dict__["benchbox_references"] = plugin.benchbox_references
    with pytest.raises(PluginError, match="two published curves on kodak"):
        load(extra=[copy]).references()
