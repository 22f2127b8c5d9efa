"""The results of a matched run say which row was found for which target, and which targets it missed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from benchbox_reports.matched import NOTE
from click.testing import CliRunner
from small_runs import go, plan, rows_of
from two_runs import results

import benchbox
from benchbox.cli import report as command
from benchbox.cli.group import commands
from benchbox.plan.target import CLOSE, CLOSE_DB

assert command  # it adds itself to `commands`
SEARCHED = {"match": ["bpp=1", "psnr=33", "psnr=70"]}


def published(folder: Path, frame: pd.DataFrame, match: str) -> pd.DataFrame:
    """`frame`, as a release without the columns published it, loaded again."""
    folder.mkdir()
    frame.drop(columns=["target", "missed"]).to_parquet(folder / "results.parquet", index=False)
    (folder / "settings.json").write_text(json.dumps({"metrics": ["psnr"], "datasets": {}, "codecs": {}}))
    (folder / "plan.toml").write_text(match, encoding="utf-8")
    return benchbox.load(folder)


def test_a_run_its_table_and_its_page_say_what_was_reached(pictures: Path, tmp_path: Path) -> None:
    (pictures / "2.png").unlink()
    frame = go(tmp_path, plan(pictures, {"id": "jpeg"}, {"id": "png"}, **SEARCHED))
    for row in rows_of(frame):
        at = {"bpp=1": abs(row.bpp - 1) <= CLOSE, "psnr=33": abs(row.psnr - 33) <= CLOSE_DB, "psnr=70": False}
        assert set(row.target.split(", ")) <= set(at)
        missed = [] if pd.isna(row.missed) else row.missed.split(", ")
        assert missed == [target for target in row.target.split(", ") if not at[target]]
    assert sorted(frame["target"]) == sorted(2 * SEARCHED["match"])
    done = CliRunner().invoke(commands, ["report", "t", "--workspace", str(tmp_path / "runs")], catch_exceptions=False)
    assert done.exit_code == 0
    folder = tmp_path / "runs" / "t" / "report"
    table = pd.read_csv(folder / "tables" / "matched.csv").set_index("target")
    assert list(table.index) == SEARCHED["match"]
    for target, row in table.to_dict("index").items():
        own = frame[(frame["target"] == target).to_numpy()]
        assert row["bpp"] == pytest.approx(own["bpp"].mean())
        assert row["psnr"] == pytest.approx(own["psnr"].mean())
        assert (row["pictures"], row["missed"], row["without"]) == (2, own["missed"].notna().sum(), 0)
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "missed on 2 of 2 pictures, by up to" in page
    assert "searched picture by picture" in page
    assert "has no mean at quality" not in page
    assert "no BD-rates: the result is what each codec reached at each target" in page
    assert 'id="summary"' not in page  # which had the anchor alone
    assert "no BD-rates" in (folder / "tables" / "summary.tex").read_text()
    asked = ["report", "t", "--format", "compressai", "--workspace", str(tmp_path / "runs")]
    refused = CliRunner().invoke(commands, asked).exception
    assert "run t was matched, so that settings differ from picture to picture" in str(refused)
    assert f"{CLOSE_DB:g} dB" in NOTE
    assert f"{100 * CLOSE:g} % of the bits" in NOTE


def test_a_sweep_has_no_targets(tmp_path: Path) -> None:
    frame = published(tmp_path / "sweep", results(), 'name = "t"')
    assert frame["target"].isna().all()
    assert frame["missed"].isna().all()


def test_one_row_may_be_the_nearest_to_several(tmp_path: Path) -> None:
    """Of an older release's folder too; what no plugin here knows is left out, and so is what is no target."""
    frame = published(tmp_path / "old", results(2), 'match = ["psnr=34", "bpp=0.4", "psnr=36", "vmafff=3", "x"]')
    found = frame[frame["target"].notna()]
    assert list(zip(found["sample"], found["target"], strict=True)) == [
        (name, target) for name in ("0.png", "1.png") for target in ("psnr=34, bpp=0.4", "psnr=36")]
    assert found["missed"].dropna().tolist() == ["psnr=36", "psnr=36"]


def test_runs_that_share_a_row_keep_the_targets_of_all(tmp_path: Path) -> None:
    for name, match in (("sweep", 'name = "s"'), ("a", 'match = "psnr=34"'), ("b", 'match = ["bpp=0.4", "psnr=36"]')):
        published(tmp_path / name, results(2), match)
    both = benchbox.load([tmp_path / "sweep", tmp_path / "a", tmp_path / "b"])
    assert len(both) == 10
    assert both["target"].dropna().tolist() == 2 * ["psnr=34, bpp=0.4", "psnr=36"]
    assert both["missed"].dropna().tolist() == 2 * ["psnr=36"]


def test_a_search_without_a_value_missed(tmp_path: Path) -> None:
    frame = results(2)
    gone = (frame["sample"] == "1.png").to_numpy()
    frame["status"] = frame["status"].astype(object).where(~gone, "failed").astype("category")
    loaded = published(tmp_path / "failed", frame, 'match = "psnr=34"')
    rows = loaded[loaded["target"].notna()]
    assert rows["sample"].tolist() == ["0.png", "1.png"]
    assert rows["missed"].isna().tolist() == [True, False]


def test_a_target_by_a_metric_without_a_value_has_no_rate(tmp_path: Path) -> None:
    """The row stands for its search all the same, but what it needs is no result at that target."""
    frame = results(2).assign(ssim=float("nan"))
    folder = tmp_path / "none"
    published(folder, frame, 'match = ["psnr=34", "ssim=0.9"]')
    (folder / "settings.json").write_text(json.dumps({"metrics": ["psnr", "ssim"], "datasets": {}, "codecs": {}}))
    (folder / "environment.json").write_text('{"sessions": []}')
    arguments = ["report", str(folder), "--format", "tables", "--output", str(tmp_path / "out")]
    assert CliRunner().invoke(commands, arguments, catch_exceptions=False).exit_code == 0
    table = pd.read_csv(tmp_path / "out" / "tables" / "matched.csv").set_index("target")
    assert table.index.tolist() == ["psnr=34", "ssim=0.9"]
    assert table["missed"].tolist() == [0, 2]
    assert table["without"].tolist() == [0, 2]
    assert table["bpp"].isna().tolist() == [False, True]
