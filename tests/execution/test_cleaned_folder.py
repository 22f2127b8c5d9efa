"""A worker whose private folder, or its second decoder's, is removed from outside, by who empties /tmp, is replaced."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import go, plan

from benchbox import image, registry
from benchbox.execution.run_processes import RunProcesses
from benchbox.plan import entries, make_plan, missing_jobs, resolve

SOURCE = """
import glob, shutil, tempfile

class Removing(Plain):
    def prepare(self, reference):
        class Removed(Value):
            def score(self, image):
                try: open(DEED, "x").close()
                except FileExistsError: return super().score(image)
                shutil.rmtree(tempfile.gettempdir())
                return super().score(image)
        return Removed(reference)

class Writing(Plain):
    def prepare(self, reference):
        class Written(Value):
            def score(self, image):
                with tempfile.NamedTemporaryFile(): return super().score(image)
        return Written(reference)

class Filing(Sound):
    def decode(self, data):
        with tempfile.NamedTemporaryFile(): return super().decode(data)

class RemovingSecond(Plain):
    def prepare(self, reference):
        class Removed(Value):
            def score(self, image):
                for folder in glob.glob(os.path.join(tempfile.gettempdir(), "benchbox-second-*")):
                    try: open(DEED + "2", "x").close()
                    except FileExistsError: continue
                    shutil.rmtree(folder)
                return super().score(image)
        return Removed(reference)

CODECS["calm"] = Sound
CODECS["filing"] = Filing
SCORERS["removing"] = Removing
SCORERS["removing2"] = RemovingSecond
SCORERS["writing"] = Writing
"""


@pytest.fixture(scope="module")
def deed(third: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin of this test, and the file by which its metrics know that a folder is gone."""
    file = tmp_path_factory.mktemp("deeds") / "deed"
    third(f"DEED = {str(file)!r}\n{SOURCE}")
    return file


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A folder with one picture."""
    return _with_picture(tmp_path / "p", "a.png")


def _with_picture(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    seed = np.random.default_rng(list(name.encode()))
    image.write_png(folder / name, seed.integers(0, 255, (48, 64, 3)).astype(np.uint8))
    return folder


def test_later_points_are_decoded_by_another_second_decoder(deed: Path, picture: Path, tmp_path: Path) -> None:
    _with_picture(picture, "b.png")  # a codec that was right once on a picture is not decoded elsewhere on it again
    rows = go(tmp_path, plan(picture, {"id": "filing", "qualities": [1, 2]}, metrics=["removing2"]), workers=1)
    assert deed.with_name("deed2").exists()
    assert rows["status"].tolist() == ["ok"] * 4, rows["reason"].tolist()


def test_later_points_are_scored_by_another_worker(deed: Path, picture: Path, tmp_path: Path) -> None:
    asked = plan(picture, {"id": "calm", "qualities": [1, 2, 3]}, metrics=["removing", "writing"])
    rows = go(tmp_path, asked, workers=1).sort_values("quality")
    assert rows["status"].tolist() == ["ok"] * 3
    assert rows["removing"].notna().all()
    assert rows["writing"].notna().tolist() == [False, True, True]  # the first was at it when the folder went


def test_a_worker_that_waited_meanwhile_is_replaced(
    deed: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker of a cluster waits between two jobs."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    asked = plan(picture, {"id": "filing", "qualities": [1]}, {"id": "calm", "qualities": [1]}, metrics=["writing"])
    resolved = resolve(make_plan(asked, "plan"), registry.load(), tmp_path)
    digests = {(d.id, s.id): image.digest(s.load()) for d in resolved.datasets for s in d.samples}
    first, second = missing_jobs(resolved, digests, list(entries(resolved, digests)))
    processes = RunProcesses({"streams": str(tmp_path / "s"), "spool": str(tmp_path), "plugins": [], "seconds": 60,
                              "memory": 4 << 30}, 1)  # fmt: skip
    seen: list[Mapping[str, Any]] = []
    try:
        processes.run(first, "first", seen.extend, lambda: None)
        (folder,) = (tmp_path / "temporary").glob("benchbox-worker-*")
        shutil.rmtree(folder)
        processes.run(second, "second", seen.extend, lambda: None)
    finally:
        processes.close()
    assert [(point["status"], point["scores"]["writing"][1] is None) for point in seen] == [("ok", False)] * 2, seen
