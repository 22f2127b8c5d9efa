"""Exchange with CompressAI itself, where it is installed: it draws our files, and what it measures fits our curves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from stored import stored_results
from trading import make

from benchbox import curves, registry
from benchbox.report import Results


@pytest.fixture
def workspace(trade: Path) -> Path:
    return trade


@pytest.fixture
def results(traded: Results) -> Results:
    return traded


@pytest.fixture(scope="module")
def peer() -> Path:
    """The Python of an environment with CompressAI (see benchmarks/peer.py)."""
    folder = Path(os.environ.get("BENCHBOX_PEER", Path(__file__).resolve().parents[2] / ".bench" / "peer"))
    python = folder / "bin" / "python"
    if not python.exists():
        pytest.skip(f"CompressAI is absent: no {python} (python benchmarks/peer.py, or set BENCHBOX_PEER)")
    if subprocess.run([python, "-c", "import compressai"], capture_output=True).returncode:
        pytest.skip(f"CompressAI is absent: {python} cannot import it")
    return python


def call(python: Path, *arguments: str | Path) -> str:
    done = subprocess.run([python, *arguments], capture_output=True, text=True, timeout=300, env=os.environ | {
        "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


READ = """
import json, sys
from compressai.utils.plot.__main__ import parse_json_file
read = [parse_json_file(file, sys.argv[1]) for file in sys.argv[2:]]
print(json.dumps([one | {"ys": list(one["ys"])} for one in read]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["psnr", "ms-ssim"])
def test_compressai_draws_our_files(peer: Path, results: Results, tmp_path: Path, metric: str) -> None:
    files = make("compressai", results, tmp_path)
    picture = tmp_path / "plot.png"
    call(peer, "-m", "compressai.utils.plot", "-f", *files, "-m", metric, "-o", picture)
    drawn = np.asarray(PillowImage.open(picture).convert("RGB")).reshape(-1, 3)
    for colour in ((31, 119, 180), (255, 127, 14)):  # matplotlib's first two: one curve each
        assert (drawn == colour).all(axis=1).sum() > 100
    drawn_curves = json.loads(call(peer, "-c", READ, metric, *files))
    ours = next(m for m in results.metrics if m.id == metric)
    for read, curve in zip(drawn_curves, curves.mean_curves(results.frame, ours), strict=True):
        assert read["name"] == curve.label
        assert read["xs"] == pytest.approx(curve.bpp.tolist())
        assert read["ys"] == pytest.approx(curve.value.tolist())


@pytest.mark.slow
def test_what_compressai_measures_lies_on_our_curve(
    peer: Path, results: Results, workspace: Path, tmp_path: Path
) -> None:
    printed = call(peer, "-m", "compressai.utils.bench", "jpeg", workspace.parent / "pictures", "-q", "10,30,60,90")
    file = tmp_path / "bench.json"
    file.write_text(printed)
    (theirs,) = stored_results("trade", workspace, registry.load(), [str(file)]).references
    assert theirs.title == "JPEG (bench.json)"
    for metric, close in (("psnr", 1e-6), ("ms-ssim", 1e-5)):
        ours = next(m for m in results.metrics if m.id == metric)
        (curve,) = (c for c in curves.mean_curves(results.frame, ours) if c.label == "jpeg")
        assert theirs.bpp == pytest.approx(curve.bpp.tolist(), rel=1e-9)
        assert theirs.metrics[metric] == pytest.approx(curve.raw.tolist(), rel=close)
