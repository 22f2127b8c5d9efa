"""A metric that raises, hangs or ends its process is blamed by its name and costs its own column, not the point."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_runs import go, plan, rows_of

from benchbox import image

SOURCE = """
def faulty(method, deed):
    class Faulty(Plain):
        def prepare(self, reference):
            if method == "prepare": deed()
            class Bad(Value):
                def score(self, image):
                    if method == "score": return deed()
                    return super().score(image)
            return Bad(reference)
    if method == "open": return lambda: deed()
    return Faulty

def raises(error):
    def deed(): raise error
    return deed

DEEDS = {
    "raises": raises(ZeroDivisionError("by zero")), "base": raises(BaseException("base")),
    "kbd": raises(KeyboardInterrupt()), "exit": lambda: sys.exit(0), "osexit": lambda: os._exit(0),
    "segv": lambda: os.kill(os.getpid(), signal.SIGSEGV), "hangs": lambda: time.sleep(600),
    "text": lambda: "many", "none": lambda: None, "nan": lambda: float("nan"),
    "complex": lambda: np.complex128(3 + 4j), "complex-array": lambda: np.array(3 + 4j), "digits": lambda: "3.5",
    "truth": lambda: True, "truth-numpy": lambda: np.bool_(True),
    "below": lambda: -5.0,
}
for method in ("score", "prepare", "open"):
    for name, deed in DEEDS.items():
        SCORERS[f"{method}-{name}"] = faulty(method, deed)
class NoPrepared(Plain):
    def prepare(self, reference): return None
SCORERS["prepare-gives-none"] = NoPrepared
SCORERS["open-gives-none"] = lambda: None
SCORERS["z-plain"] = Plain
CODECS["sound"] = Sound
"""

FAULTS = {
    "score-raises": "ZeroDivisionError: by zero", "prepare-raises": "ZeroDivisionError: by zero",
    "open-raises": "ZeroDivisionError: by zero", "score-base": "score raised BaseException: base",
    "prepare-kbd": "prepare raised KeyboardInterrupt", "score-exit": "score raised SystemExit: 0",
    "open-exit": "open raised SystemExit: 0", "score-osexit": "the worker died (exit status 0",
    "prepare-osexit": "the worker died (exit status 0", "score-segv": "SIGSEGV", "open-osexit": "exit status 0",
    "score-hangs": "not finished after 4 s", "score-text": "score gave str", "score-none": "score gave NoneType",
    "score-truth": "score gave bool", "score-truth-numpy": "score gave bool",
    "score-complex": "score gave complex128", "score-complex-array": "score gave ndarray",
    "score-digits": "score gave str",
    "score-below": "score gave -5, which is below the lowest that the metric declares, 0",
    "prepare-gives-none": "prepare gave NoneType", "open-gives-none": "open gave NoneType",
}  # fmt: skip
"""Metric -> what the reason of its empty column says."""


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "p").mkdir()
    image.write_png(folder / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (32, 40, 3)).astype(np.uint8))
    third(SOURCE)
    metrics = ["psnr", *FAULTS, "z-plain"]
    asked = plan(folder / "p", {"id": "jpeg", "qualities": [20]}, {"id": "sound", "qualities": [1]}, metrics=metrics,
                 limits={"point_seconds": 4})  # fmt: skip
    return go(folder, asked)


def test_the_points_and_the_other_columns_stay(frame: pd.DataFrame) -> None:
    assert set(frame["status"]) == {"ok"}
    assert set(frame["reason"]) == {""}
    assert frame["z_plain"].notna().all()
    (jpeg,) = rows_of(frame[frame["codec"] == "jpeg"])
    assert jpeg.psnr > 5
    assert (frame["bytes"] > 0).all()


@pytest.mark.parametrize("metric", FAULTS)
def test_the_reason_names_the_metric(metric: str, frame: pd.DataFrame) -> None:
    assert frame[metric.replace("-", "_")].isna().all()
    for reasons in frame["null_reasons"]:
        reason = json.loads(reasons)[metric]
        assert reason.startswith(f"not scored: {metric}")
        assert FAULTS[metric] in reason
        if " raised " in reason:
            method = metric.partition("-")[0]
            assert reason.startswith(f"not scored: {metric} (plugin third_plugin): {method} raised ")
            assert re.search(r" \(third_plugin\.py:\d+\)$", reason)


def test_progress_counts_each_point_once(tmp_path: Path, frame: pd.DataFrame) -> None:
    from benchbox import registry
    from benchbox.fork_server import ForkServer
    from benchbox.plan import make_plan, resolve
    from benchbox.session import Silent, execute, local_executor
    from benchbox.store import Workspace

    image.write_png(tmp_path / "a.png", np.full((32, 32, 3), 9, np.uint8))
    asked = plan(tmp_path, {"id": "sound", "qualities": [1, 2]}, metrics=["score-osexit", "z-plain"])
    made, plugins, place = make_plan(asked, "plan"), registry.load(), Workspace.at(tmp_path / "runs")
    with ForkServer() as server:
        executor = local_executor(made, place, 1, server)
        summary = execute(resolve(made, plugins, tmp_path), plugins, place, executor, Silent())
    assert summary.measured == 2
    assert summary.counts == {"ok": 2}
