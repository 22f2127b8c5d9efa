"""What ends or hangs its worker at every point is given up, so that it does not cost the run its time limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import go, plan

import benchbox
from benchbox import image, registry
from benchbox.execution import Patience
from benchbox.fork_server import ForkServer
from benchbox.plan import Job, Point, SampleName, resolve, settle
from benchbox.session import Silent, execute, local_executor
from benchbox.store import Workspace

SOURCE = """
class Ends(Plain):
    def prepare(self, reference):
        if os.path.exists(SIGN):
            print("no room for my tables")
            os._exit(3)
        return Value(reference)

CODECS["sound"] = Sound
SCORERS.update({"m-ends": Ends, "z-plain": Plain})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> Path:
    made = tmp_path_factory.mktemp("patience")
    (made / "p").mkdir()
    for k in range(3):
        pixels = np.random.default_rng(k).integers(0, 255, (32, 40, 3)).astype(np.uint8)
        image.write_png(made / "p" / f"{k}.png", pixels)
    (made / "sign").touch()
    third(f"SIGN = {str(made / 'sign')!r}\n{SOURCE}")
    return made


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, Any]:
    return plan(folder / "p", {"id": "sound", "qualities": [1, 2]}, metrics=["z-plain", "m-ends", "psnr-y"])


@pytest.fixture(scope="module")
def frame(folder: Path, asked: dict[str, Any]) -> pd.DataFrame:
    return go(folder, asked, workers=1)


def test_a_metric_that_ends_its_worker_is_given_up_after_two_points(frame: pd.DataFrame) -> None:
    assert set(frame["status"]) == {"ok"}
    assert frame["z_plain"].notna().all()
    reasons = [json.loads(text)["m-ends"] for text in frame["null_reasons"]]
    ended = [reason for reason in reasons if reason.startswith("not scored: m-ends: the worker died (exit status 3")]
    given_up = [reason for reason in reasons if reason not in ended]
    assert len(ended) == 2
    assert len(given_up) == 4
    words = "not scored: m-ends: given up for this run after 2 points in a row: the worker died (exit status 3; it last"
    assert all(reason.startswith(words) and "no room for my tables" in reason for reason in given_up)


def test_retry_computes_it_anew(folder: Path, asked: dict[str, Any], frame: pd.DataFrame) -> None:
    again = go(folder, asked, workers=1)
    assert again["m_ends"].isna().all(), "it is left until asked for"
    (folder / "sign").unlink()
    plugins, place = registry.load(), Workspace.at(folder / "runs")
    resolved = resolve(settle(asked)[0], plugins, folder)
    with ForkServer() as server:
        execute(resolved, plugins, place, local_executor(resolved.plan, place, 1, server), Silent(), retry=True)
    healed = benchbox.load("t", folder / "runs")
    pd.testing.assert_series_equal(healed["m_ends"], healed["z_plain"], check_names=False)
    assert list(healed["stream_sha256"]) == list(frame["stream_sha256"])


JOB = Job(SampleName("d", "s"), "0" * 64, "c", "c", "{}", "c 1", "cpu", (Point("k", 1.0, ("m",)),))
DIED: dict[str, Any] = {"status": "ok", "scores": {"m": ["1", None, "not scored: m: not finished after 4 s"]},
                        "died_scoring": "m"}  # fmt: skip


def test_a_score_between_lets_a_metric_go_on() -> None:
    said: list[str] = []
    patience = Patience(said.append)
    for _ in range(3):
        patience.learn(JOB, DIED)
        patience.learn(JOB, {"status": "ok", "scores": {"m": ["1", None, "pictures are identical"]}})
    assert patience.admit(JOB) == JOB
    patience.learn(JOB, DIED)
    patience.learn(JOB, DIED)
    told = patience.admit(JOB)
    assert told == replace(JOB, given_up={"m": "given up for this run after 2 points in a row: not finished after 4 s"})
    assert Job.from_json(told.as_json()) == told
    assert len(said) == 1


@pytest.mark.parametrize("died", [{"status": "timeout"}, {"status": "ok", "died": "crashed"}],
                         ids=["encoding", "decoding a kept stream"])
def test_a_codec_is_given_up_after_eight(died: dict[str, Any]) -> None:
    patience = Patience(lambda line: None)
    for _ in range(7):
        patience.learn(JOB, died)
    assert patience.admit(JOB) is JOB
    patience.learn(JOB, died)
    assert patience.admit(JOB) is None
    assert patience.codecs == ["c"]
    assert patience.admit(replace(JOB, label="other")) is not None
