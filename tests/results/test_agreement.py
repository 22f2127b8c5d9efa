"""The published evaluation agrees with numbers that others published, and its table says by how much."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import benchbox
from benchbox.plan import load_plan

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports/published"

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="reports/published is not beside these tests")


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def agreement() -> ModuleType:
    return script(ROOT / "benchmarks/agreement.py")


def held(webp: pd.DataFrame, jpeg: pd.DataFrame) -> None:
    assert webp["rate"].abs().max() < 0.00005  # percent
    assert webp["psnr"].abs().max() < 0.00005
    assert webp["ms-ssim"].abs().max() < 1.6e-6
    assert jpeg["psnr"].between(0.07, 0.135).all()
    assert jpeg["rate"].between(-0.2, 0.01).all()


def test_webp_is_compressais_and_jpeg_is_better_decoded(agreement: ModuleType) -> None:
    frame = benchbox.load(PUBLISHED / "kodak")
    webp, jpeg = (agreement.differences(frame, codec) for codec in ("webp", "jpeg"))
    assert (len(webp), len(jpeg)) == (11, 13)
    held(webp, jpeg.loc[:90])
    readme = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    assert agreement.table(frame) in readme
    assert "libjpeg 9d" in readme


@pytest.mark.slow
def test_measured_again_it_agrees(agreement: ModuleType, kodak: Path, tmp_path: Path) -> None:
    frame = benchbox.run({"name": "again", "dataset": f"folder:{kodak}", "codec": [
        {"id": codec, "qualities": [10, 50]} for codec in ("webp", "jpeg")]}, workspace=tmp_path, reports=[])
    held(*(agreement.differences(frame, codec) for codec in ("webp", "jpeg")))


@pytest.mark.parametrize("name", ["kodak", "clic", "cid22"])
def test_the_evaluations_are_of_the_same_codecs(name: str) -> None:
    plan, kodak = load_plan(PUBLISHED / f"{name}.toml"), load_plan(PUBLISHED / "kodak.toml")
    assert plan.name == name
    assert plan.codec == kodak.codec
    assert plan.metrics == kodak.metrics
    assert f"EVALUATION={name}" in (PUBLISHED / "README.md").read_text(encoding="utf-8") or name == "kodak"


@pytest.mark.slow
def test_one_command_measures_and_publishes_by_the_metrics_at_hand(tmp_path: Path) -> None:
    plan = tmp_path / "small.toml"
    plan.write_text('name = "small"\ndataset = "samples"\nmetrics = ["psnr", "butteraugli"]\n'
                    '[[codec]]\nid = "jpeg"\nqualities = [20, 80]\n', encoding="utf-8")
    done = subprocess.run([sys.executable, str(PUBLISHED / "measure.py"), str(plan), "--workspace",
                           str(tmp_path / "runs")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    frame = benchbox.load(tmp_path / "small")
    assert len(frame) == 2 * 4
    assert frame["psnr"].notna().all()
    kept = tomllib.loads((tmp_path / "small/plan.toml").read_text(encoding="utf-8"))["metrics"]
    assert ("butteraugli" in kept) != ("butteraugli is left out: " in done.stderr)
