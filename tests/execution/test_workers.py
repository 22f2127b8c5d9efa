"""Workers that do not start, what codecs print, and memory of what codecs start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from small_runs import go, plan

from benchbox import image

JPEG = {"id": "jpeg", "qualities": [10]}

SOURCE = """
class Prints(Sound):
    def encode(self, image, quality):
        print("JUNK from Python")
        os.write(1, b"JUNK on 1\\n")
        os.write(2, b"JUNK on 2\\n")
        subprocess.run(["sh", "-c", "echo JUNK of a child; echo JUNK of a child >&2"])
        return pack(image)

class Floods(Sound):
    def encode(self, image, quality):
        for _ in range(200): os.write(2, b"JUNK" * 50_000)
        os.write(2, b"\\nthe last words\\n")
        os.abort()

class Silent(Sound):
    def encode(self, image, quality): os.abort()

CODECS.update({"prints": Prints, "floods": Floods, "silent": Silent})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> Path:
    made = tmp_path_factory.mktemp("workers")
    (made / "p").mkdir()
    image.write_png(made / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    third(SOURCE)
    return made


def test_what_codecs_print_does_not_mix_with_what_benchbox_prints(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    codecs = [{"id": name, "qualities": [1]} for name in ("prints", "floods", "silent")]
    frame = go(folder, plan(folder / "p", *codecs), workers=1).set_index("codec")
    assert frame.loc["prints", "status"] == "ok"
    assert capfd.readouterr() == ("", "")
    assert frame.loc["floods", "reason"] == "the worker died (SIGABRT; it last printed: the last words)"
    assert frame.loc["silent", "reason"] == "the worker died (SIGABRT)", "what the codec before it printed is no reason"


@pytest.mark.parametrize(("lines", "within"), [
    ("sys.exit(5)", 30), ("os._exit(0)", 30), ("os.kill(os.getpid(), 9)", 30),
    pytest.param("time.sleep(3600)", 100, marks=pytest.mark.slow),
])
def test_workers_that_never_start_end_the_run_with_a_word(
    lines: str, within: int, folder: Path, tmp_path: Path
) -> None:
    guilty = f"import os, sys, time\nif any('execution.forking' in word for word in sys.orig_argv): {lines}\n"
    (tmp_path / "sitecustomize.py").write_text(guilty)
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(folder / "p", JPEG, limits={"point_seconds": 2})))
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report"], cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=within + 60,
                          check=False)  # fmt: skip
    assert done.returncode == 1
    assert "worker processes do not start" in done.stderr
    assert "Traceback" not in done.stderr
