"""The published reports can be made again from their results, with the same numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from stored import stored_results

import benchbox
from benchbox import registry

KODAK = Path(__file__).parents[2] / "reports" / "published" / "kodak"
LITERATURE = ["bpg444", "av1", "vtm", "j2k-kdu5", "bmshj2018-hyperprior", "elic2022"]

pytestmark = pytest.mark.skipif(not KODAK.is_dir(), reason="reports/published is not beside these tests")


def test_rendered_again_every_table_is_the_same(tmp_path: Path) -> None:
    plugins = registry.load()
    results = stored_results(KODAK, tmp_path, plugins, LITERATURE)
    report = plugins.report("tables")
    files = [file for file in report.render(results, report.Options(), tmp_path) if file.suffix == ".csv"]
    assert len(files) > 5
    for file in files:
        if file.stat().st_size < 3:  # an empty table
            continue
        again, kept = pd.read_csv(file), pd.read_csv(KODAK / "tables" / file.name)
        pd.testing.assert_frame_equal(again, kept, rtol=1e-9)


def test_the_page_shows_the_results(tmp_path: Path) -> None:
    frame = benchbox.load(KODAK)
    assert frame["sample"].nunique() == 24
    assert (frame["status"] == "ok").all()
    mean = frame[(frame["label"] == "webp") & (frame["quality"] == 50)]["psnr"].mean()
    points = pd.read_csv(KODAK / "tables" / "rd-points.csv")
    own = points[(points["label"] == "webp") & (points["quality"] == 50) & (points["metric"] == "psnr")]
    assert own["mean"].tolist() == pytest.approx([mean])
    page = (KODAK / "index.html").read_text(encoding="utf-8")
    for label in frame["label"].unique():
        assert str(label) in page


def test_its_plan_is_the_one_beside_it() -> None:
    from benchbox.plan import load_plan

    plan = load_plan(KODAK / "plan.toml")
    assert plan.dataset == ("kodak",)
    labels = set(benchbox.load(KODAK)["label"])
    assert {entry.label or entry.id for entry in plan.codec if not entry.options} <= labels | {"resnet"}
