"""The loop of a codec's author, in an environment of its own: new, check, run, change, compare, report."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchbox import registry
from benchbox.image import write_png

Shell = Callable[..., str]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Run a module of Python in an empty folder and a new virtual environment, which sees what is installed here."""
    folder = tmp_path_factory.mktemp("author")
    venv = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    inside = next(venv.glob("lib/python*/site-packages"))
    (inside / "here.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(*arguments: str, code: int = 0) -> str:
        # -P as for the installed script `benchbox`, which does not look for modules in the current folder
        done = subprocess.run([str(venv / "bin" / "python"), "-P", "-m", *arguments], cwd=folder, env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == code, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    (folder / "pictures").mkdir()
    for number, picture in enumerate(small_pictures(6)):
        write_png(folder / "pictures" / f"{number}.png", picture)
    run.folder = folder  # type: ignore[attr-defined]
    return run


def small_pictures(count: int) -> list[np.ndarray]:
    """Crops of photographs, of the least size that MS-SSIM has a value for."""
    photographs = [sample.load() for sample in registry.load().dataset("samples").samples]
    chosen = [photographs[k % len(photographs)][16 * k :, 16 * k :] for k in range(count)]
    return [np.ascontiguousarray(picture[:176, :176]) for picture in chosen]


def measured(shell: Shell, name: str) -> None:
    shell("benchbox", "run", "--name", name, "--dataset", "folder:pictures", "--codec", "mine", "--metric", "ms-ssim",
          "--no-report")  # fmt: skip


def test_from_new_to_a_verdict(shell: Shell) -> None:
    folder: Path = shell.folder  # type: ignore[attr-defined]
    gate = ("--fail-above", "1", "--metric", "ms-ssim")
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    shell("benchbox", "new", "codec", "mine")
    shell("pip", "install", "--quiet", "--no-deps", *isolation, "-e", "./mine")
    assert " 0 failed" in shell("benchbox", "check", "mine")
    measured(shell, "before")
    measured(shell, "same")
    assert "same" in shell("benchbox", "compare", "before", "same", *gate)

    module = folder / "mine" / "mine.py"  # a setting that is faster and needs more bytes
    source = module.read_text(encoding="utf-8")
    module.write_text(source.replace("Field(9,", "Field(1,").replace("VERSION = 1", "VERSION = 2"), encoding="utf-8")
    measured(shell, "after")
    verdict = shell("benchbox", "compare", "before", "after", *gate, code=1)
    assert "worse" in verdict
    assert "36 of 36 points changed their bytes" in verdict

    shell("benchbox", "report", "after")
    page = folder / "runs" / "after" / "report" / "index.html"
    assert "mine" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("how", [[], ["--packaged"]])
def test_the_road_takes_six_commands_at_most(how: list[str]) -> None:
    script = Path(__file__).resolve().parents[1] / "benchmarks" / "author_road.py"
    done = subprocess.run([sys.executable, str(script), *how], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the report: mine " in done.stdout
