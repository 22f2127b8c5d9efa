"""A third party's codec in a distribution of its own is installed, listed, checked, run and reported; nothing of ours
knows it."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbox.image import write_png

TOY = Path(__file__).parent / "toy_plugin"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables under which the toy is installed, by pip from its folder, beside what is here already."""
    folder = tmp_path_factory.mktemp("toy")
    source, target = folder / "source", folder / "site"
    shutil.copytree(TOY, source)  # building leaves files beside the source
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *isolation, "--target", str(target),
                    "--disable-pip-version-check", str(source)], check=True)
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def python(*arguments: str, env: dict[str, str], cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_toy_is_listed(environment: dict[str, str], tmp_path: Path) -> None:
    assert "toy" in python("-m", "benchbox", "list", "codecs", env=environment, cwd=tmp_path).split()
    assert "benchbox-toy" in python("-m", "benchbox", "list", "plugins", env=environment, cwd=tmp_path)
    without = {**environment, "PYTHONPATH": ""}
    assert "toy" not in python("-m", "benchbox", "list", "codecs", env=without, cwd=tmp_path).split()


def test_toy_passes_the_kit(environment: dict[str, str], tmp_path: Path) -> None:
    shutil.copy(TOY / "conformance.py", tmp_path)
    out = python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "conformance.py", env=environment,
                 cwd=tmp_path)
    assert " passed" in out


def test_toy_runs_and_is_reported(environment: dict[str, str], tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "pictures").mkdir()
    write_png(tmp_path / "pictures" / "photo.png", photo)
    python("-m", "benchbox", "run", "--name", "toys", "--dataset", "folder:pictures", "--codec", "toy@2,3,4,5",
           "--codec", "jpeg@10,30,60,90", "--metric", "psnr", env=environment, cwd=tmp_path)
    python("-m", "benchbox", "export", "toys", "--format", "csv", "--output", "toys.csv", env=environment, cwd=tmp_path)
    with (tmp_path / "toys.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["codec"] == "toy"]
    assert [row["status"] for row in rows] == ["ok"] * 4
    assert [float(row["quality"]) for row in rows] == [2, 3, 4, 5]
    values = [float(row["psnr"]) for row in rows]
    assert values == sorted(values)
    assert values[0] > 10
    assert "toy" in (tmp_path / "runs" / "toys" / "report" / "index.html").read_text(encoding="utf-8").lower()
