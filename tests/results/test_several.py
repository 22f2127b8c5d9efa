"""Several runs in one frame and one report: labels by run where they clash, shared measurements once, hosts apart."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data
from benchbox_reports.analysis import analyse
from benchbox_reports.pareto import drawn_speeds
from benchbox_reports.speeds import measure_speeds
from click.testing import CliRunner
from two_runs import results as made

import benchbox
from benchbox import image, registry
from benchbox.cli.main import commands
from benchbox.errors import UsageError
from benchbox.report import Results
from benchbox.results import find_run, load_several
from benchbox.results.several import united
from benchbox.store import Workspace

JPEG, WEBP = {"id": "jpeg", "qualities": [10, 30, 50, 70, 90]}, {"id": "webp", "qualities": [10, 30, 50, 70, 90]}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs ``one`` (jpeg, webp) and ``two`` (jpeg, and jpeg 4:4:4 under the label webp) of one workspace, and
    ``other``, which another host has measured and timed."""
    base = tmp_path_factory.mktemp("several")
    (base / "photos").mkdir()
    crop = skimage.data.astronaut()
    for k in range(2):
        image.write_png(base / "photos" / f"{k}.png", np.ascontiguousarray(crop[8 * k : 90 + 8 * k, 90:190]))
    plan = {"dataset": f"folder:{base / 'photos'}", "metrics": ["psnr"], "timing": {"repeats": 1}}
    for name, where, codecs in (("one", "runs", [JPEG, WEBP]), ("other", "far", [JPEG, WEBP])):
        benchbox.run({**plan, "name": name, "codec": codecs}, workspace=base / where, workers=1, reports=[])
        with sqlite3.connect(base / where / "store.sqlite") as store:
            store.execute("UPDATE timings SET others = 0")
            if where == "far":
                store.execute("UPDATE timings SET host = 'far', encode_s = encode_s * 2")
        store.close()
    two = {**plan, "name": "two", "metrics": ["psnr", "ssim"],
           "codec": [JPEG, {**JPEG, "label": "webp", "options": {"subsampling": "4:4:4"}}]}
    benchbox.run({**two, "timing": None}, workspace=base / "runs", workers=1, reports=[])
    return base


@pytest.fixture(scope="module")
def frame(base: Path) -> pd.DataFrame:
    return benchbox.load(["one", "two", base / "far" / "other"], base / "runs")


@pytest.fixture(scope="module")
def results(base: Path) -> Results:
    place = Workspace.at(base / "runs")
    return load_several([find_run(run, place) for run in ("one", "two", base / "far" / "other")], registry.load())


def test_labels_go_by_run_where_they_clash(frame: pd.DataFrame) -> None:
    assert set(frame["label"]) == {f"{codec} ({run})" for codec in ("jpeg", "webp") for run in ("one", "two", "other")}
    assert set(frame["dataset"].astype(str).map(lambda name: name.rpartition("/")[2])) == {"photos"}
    assert frame["dataset"].nunique() == 1


def test_what_two_runs_of_a_workspace_share_is_taken_once(base: Path) -> None:
    both = benchbox.load(["one", "two"], base / "runs")
    alone = benchbox.load("one", base / "runs")
    assert set(both["label"]) == {"jpeg", "webp (one)", "webp (two)"}
    assert len(both) == 3 * 5 * 2
    shared = both[both["label"] == "jpeg"]
    assert shared["ssim"].notna().all()
    assert both[both["label"] == "webp (one)"]["ssim"].isna().all()
    np.testing.assert_array_equal(shared["psnr"].to_numpy(), alone[alone["label"] == "jpeg"]["psnr"].to_numpy())
    assert [dtype.name for dtype in both.dtypes.drop("ssim")] == [dtype.name for dtype in alone.dtypes]


def test_a_session_that_runs_share_is_told_once() -> None:
    sessions = [{"id": "a"}, {"id": "b"}, {"id": "a"}]
    runs = [Results(str(k), made(1), [], "", {"sessions": [session]}, {"d": ["n"]})
            for k, session in enumerate(sessions)]  # fmt: skip
    assert united(runs).environment == {"sessions": sessions[:2]}
    assert united(runs).dataset_notes == {"d": ["n"]}


def test_one_run_is_as_it_was(base: Path) -> None:
    pd.testing.assert_frame_equal(benchbox.load(["one"], base / "runs"), benchbox.load("one", base / "runs"))


def test_a_run_is_named_once(base: Path) -> None:
    with pytest.raises(UsageError, match="the run 'one' is named twice"):
        benchbox.load(["one", "two", base / "runs" / "two" / ".." / "one"], base / "runs")
    done = CliRunner().invoke(commands, ["report", "one", "one", "--workspace", str(base / "runs")])
    assert isinstance(done.exception, UsageError)
    assert not (base / "runs" / "one" / "report-one").exists()


def test_hosts_are_never_mixed_in_speed(results: Results) -> None:
    speeds = measure_speeds(results, list(results.frame["label"].unique()))
    hosts = [one.host for one in speeds]
    assert len(hosts) == len(set(hosts)) == 2
    (far,) = (one for one in speeds if one.host == "far")
    assert set(far.codecs["label"]) == {"jpeg (other)", "webp (other)"}
    (drawn,) = drawn_speeds(results, speeds).values()
    assert not any(drawn.sides.values())
    assert "2 hosts" in drawn.notes[0]


def test_every_number_of_the_report_is_in_the_frame(results: Results, frame: pd.DataFrame) -> None:
    (section,) = (s for s in analyse(results).sections if s.metric.id == "psnr")
    for curve in section.curves:
        own = frame[frame["label"] == curve.label].groupby("quality")[["bpp", "psnr"]].mean().sort_values("bpp")
        np.testing.assert_allclose(curve.bpp, own["bpp"])
        np.testing.assert_allclose(curve.raw, own["psnr"])


def test_pictures_come_from_the_run_that_has_them(results: Results) -> None:
    assert results.pixels is not None
    assert results.original is not None
    for label in results.frame["label"].unique():
        key = str(results.frame[results.frame["label"] == label]["key"].iloc[0])
        assert results.pixels(key).shape == results.original(key).shape


def test_the_command_takes_several_runs(base: Path, tmp_path: Path) -> None:
    asked = ["report", "one", "two", str(base / "far" / "other"), "--format", "tables", "--output", str(tmp_path),
             "--workspace", str(base / "runs"), "--highlight", "webp (two)", "--label", "webp (two)=Ours"]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "tables" / "bd.csv")
    assert {"Ours", "jpeg (other)"} <= set(table["label"])
    assert "published" not in (tmp_path / "tables" / "bd.md").read_text(encoding="utf-8")


def test_another_folder_of_the_same_name_is_another_data_set(base: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    image.write_png(tmp_path / "photos" / "0.png", noise)
    plan = {"name": "three", "dataset": f"folder:{tmp_path / 'photos'}", "metrics": ["psnr"], "codec": [JPEG]}
    benchbox.run(plan, workspace=tmp_path / "runs", workers=1, reports=[])
    frame = benchbox.load([base / "runs" / "one", tmp_path / "runs" / "three"])
    assert frame["dataset"].nunique() == 2
    assert frame["label"].nunique() == 2


def test_three_shards_in_one_report_are_the_whole_run(base: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(f"""
        name = "s"
        dataset = {str(base / "photos")!r}
        metrics = ["psnr"]
        codec = [{{id = "jpeg", qualities = [10, 30, 50, 70]}}, {{id = "webp", qualities = [10, 30, 50, 70]}}]
        """.replace("dataset = '", "dataset = 'folder:"), encoding="utf-8")

    def tables(runs: list[Path], name: str) -> dict[str, bytes]:
        asked = ["report", *map(str, runs), "--format", "tables", "--output", str(tmp_path / name)]
        done = CliRunner().invoke(commands, asked)
        assert done.exit_code == 0, done.output
        return {file.name: file.read_bytes() for file in sorted((tmp_path / name / "tables").iterdir())}

    def measure(name: str, *more: str) -> Path:
        asked = ["run", str(plan), "--workspace", str(tmp_path / name), "--workers", "1", "--no-report", *more]
        done = CliRunner().invoke(commands, asked)
        assert (tmp_path / name / "s").is_dir(), done.output
        return tmp_path / name / "s"

    shards = [measure(f"part{k}", "--shard", f"{k}/3") for k in (1, 2, 3)]
    parts = [benchbox.load(run) for run in shards]
    assert all((part["status"] == "missing").any() and (part["status"] == "ok").any() for part in parts)
    assert tables([shards[1], shards[2], shards[0]], "together") == tables([measure("whole")], "one")
    for order in (shards, shards[::-1]):
        assert benchbox.load(order)["status"].astype(str).eq("ok").all()
    assert benchbox.load([shards[0], base / "runs" / "one"])["dataset"].nunique() == 1
    assert set(benchbox.load([shards[0], tmp_path / "whole" / "s"])["label"]) == {
        "jpeg (s)", "jpeg (s 2)", "webp (s)", "webp (s 2)"}
