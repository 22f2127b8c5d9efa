"""Memory of a run does not grow with the number of pictures."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import tomli_w
from small_runs import measured, plan

from benchbox import image


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_pictures(tmp_path: Path, photo: np.ndarray) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    base = np.tile(photo, (7, 7, 1))[:1224, :1632].copy()  # 2 MP
    for i in range(2000):
        base[0, :8, 0] = np.frombuffer(np.int64(i).tobytes(), np.uint8)  # every picture is another one
        if i < 40:
            image.write_png(folder / f"{i:04}.png", base)
        else:
            _write_jpeg(folder / f"{i:04}.jpg", base, i)
    asked = plan(folder, {"id": "jpeg", "qualities": [30]}, metrics=["psnr"])
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(asked))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report", "--workers", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    peaks = _watch_memory(process, tmp_path)
    assert process.returncode == 0
    early, late = peaks[100], peaks[2000]
    assert late <= 1.10 * early, f"{early / 1e6:.0f} MB after 100 pictures, {late / 1e6:.0f} MB after 2000"


def _watch_memory(process: subprocess.Popen[bytes], tmp_path: Path) -> dict[int, int]:
    """Peak memory of the whole process tree by the time 100 and 2,000 pictures were measured."""
    peak = 0
    peaks: dict[int, int] = {}
    tree = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, sum(p.memory_info().rss for p in [tree, *tree.children(recursive=True)]))
        except psutil.Error:
            continue
        count = len(measured(tmp_path)) if (tmp_path / "runs" / "store.sqlite").exists() else 0
        if count >= 100:
            peaks.setdefault(100, peak)
        time.sleep(0.1)
    peaks[2000] = peak
    return peaks


def _write_jpeg(path: Path, pixels: np.ndarray, seed: int) -> None:
    from PIL import Image

    Image.fromarray(np.roll(pixels, seed, axis=1)).save(path, quality=90)
