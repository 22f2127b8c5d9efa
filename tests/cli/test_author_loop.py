"""The loop of a codec's author, as commands: measure a file, change it, measure again, ask whether it is better."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mine_codec import one_version

from benchbox import image

pytestmark = pytest.mark.slow


def benchbox(folder: Path, *arguments: str, code: int = 0) -> str:
    """What the command prints; it must end with `code`."""
    command = [sys.executable, "-m", "benchbox", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_measure_change_measure_compare(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "pictures").mkdir()
    for k in range(6):
        part = np.ascontiguousarray(photo[10 * k : 10 * k + 48, 20 * k : 20 * k + 48])
        image.write_png(tmp_path / "pictures" / f"{k}.png", part)

    def measure(padding: int) -> str:
        (tmp_path / "mine.py").write_text(one_version(padding))
        return benchbox(tmp_path, "run", "--plugin", "mine.py", "--name", "try", "--dataset", "folder:pictures",
                        "--codec", "mine", "--metric", "psnr", "--quick", "--no-report")  # fmt: skip

    assert "~" not in measure(0)
    said = measure(30)
    assert "mine has changed since try was last run" in said
    assert "what try was stays as try~1" in said
    assert "mine against try~1, folder:pictures, psnr: +" in said
    assert "mine: 36 of 36 points have other bytes than in try~1" in said
    gate = ("--metric", "psnr", "--fail-above", "1")
    assert "worse" in benchbox(tmp_path, "compare", "try~1", "try", *gate, code=1)
    assert "better" in benchbox(tmp_path, "compare", "try", "try~1", *gate)
    assert "same" in benchbox(tmp_path, "compare", "try", "runs/try", *gate)
    assert "no run is called 'try~2'" in benchbox(tmp_path, "compare", "try~2", "try", code=1)
