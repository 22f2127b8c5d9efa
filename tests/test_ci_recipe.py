"""The workflow of docs/ci.md, its commands run as they stand there, on a codec that gets worse, better, or stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
import yaml
from mine_codec import one_version

from benchbox import image

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[1] / "docs" / "ci.md").read_text(encoding="utf-8")

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "mine-plugin"
version = "1.0"
[project.entry-points.benchbox]
mine = "mine_plugin"
[tool.setuptools]
py-modules = ["mine_plugin"]
"""


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def commands() -> list[str]:
    """What the workflow runs, step by step."""
    steps = yaml.safe_load(block("yaml"))["jobs"]["compare"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def repository(folder: Path, padding: int, photo: np.ndarray) -> None:
    """A checkout of the codec's repository, in the version that appends `padding` percent to its streams."""
    (folder / "pictures").mkdir(parents=True)
    for k in range(6):
        part = photo[2 * k : 2 * k + 176, 8 * k : 8 * k + 176]
        image.write_png(folder / "pictures" / f"{k}.png", np.ascontiguousarray(part))
    (folder / "mine_plugin.py").write_text(one_version(padding))
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "ci.toml").write_text(block("toml"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment to install into that has what this one has, and needs no network."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "parent.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    script = home / "bin" / "benchbox"
    script.write_text('#!/bin/sh\nexec python -m benchbox "$@"\n')
    script.chmod(0o755)
    paths = [str(Path(name).resolve()) for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if name]
    return {
        **os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(home),
        "PYTHONPATH": os.pathsep.join(paths), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "code", "verdict"), [(0, 20, 1, "worse"), (20, 20, 0, "same"), (20, 0, 0, "better")]
)
def test_the_workflow(
    before: int, after: int, code: int, verdict: str, tmp_path: Path, photo: np.ndarray, environment: dict[str, str]
) -> None:
    repository(tmp_path / "before", before, photo)
    repository(tmp_path / "after", after, photo)
    *measuring, comparing = commands()
    assert len(measuring) == 2
    for script in measuring:
        run(script, tmp_path, environment, 0)
    said = run(comparing, tmp_path, environment, code)
    assert f"{'failed' if code else 'passed'}: " in said
    summary = (tmp_path / "summary.md").read_text()
    assert re.search(rf"\| mine \| folder:pictures \| ms-ssim \|.*\| {verdict} \|", summary)


def run(script: str, folder: Path, environment: dict[str, str], code: int) -> str:
    """What a step prints; it must end with `code`."""
    command = ["bash", "-e", "-c", script]  # as GitHub's runner does
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{script}\n{done.stdout}\n{done.stderr}\n{sys.version}"
    return done.stdout
