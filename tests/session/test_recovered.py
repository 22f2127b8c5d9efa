"""What a killed run left in its spool is taken in once, also where the store has it already."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from small_runs import measured, plan

import benchbox
from benchbox.execution.spool import seal, unseal
from benchbox.session import Silent


class Copying(Silent):
    """Copies the spool with each point that is stored, as a run leaves it that is killed at that moment."""

    def __init__(self, spool: Path, copy: Path) -> None:
        self.said: list[str] = []
        self._spool = spool
        self._copy = copy

    def say(self, message: str) -> None:
        self.said.append(message)

    def step(self, status: str) -> None:
        for path in [*self._spool.glob("*.jsonl"), *self._spool.glob("*.job")]:
            shutil.copy(path, self._copy)


@pytest.mark.parametrize("more", [{}, {"timing": {"repeats": 2}}], ids=["sweep", "timing"])
def test_what_is_stored_already_is_not_taken_twice(
    more: dict[str, Any], tmp_path: Path, pictures: Path, evil: None
) -> None:
    """A point that failed once is tried once more, and no time is there twice."""
    for path in list(pictures.iterdir())[1:]:
        path.unlink()
    asked = plan(pictures, {"id": "raise"})
    spool, copy = tmp_path / "runs" / "spool", tmp_path / "copy"
    copy.mkdir()

    def go(asked: dict[str, Any]) -> tuple[list[str], dict[str, int], int]:
        """What is said, status -> attempts, and the number of raw seconds."""
        progress = Copying(spool, copy)
        benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[], progress=progress)
        with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
            (seconds,) = db.execute("SELECT COUNT(*) FROM timings").fetchone()
            return progress.said, dict(db.execute("SELECT status, attempts FROM encodings")), seconds

    _, attempts, seconds = go(asked | more)
    assert attempts == {"ok": 1, "failed": 1}
    assert list(copy.glob("*.jsonl"))
    shutil.copytree(copy, spool, dirs_exist_ok=True)
    said, attempts, again = go(asked)
    assert not [line for line in said if "recovered" in line]
    assert attempts == {"ok": 1, "failed": 2}
    assert again == seconds
    assert not list(spool.iterdir())


def test_a_picture_that_was_not_the_planned_one_leaves_no_failure(tmp_path: Path, pictures: Path) -> None:
    """Nothing was measured on it, so that it is listed anew as it is now."""
    asked = plan(pictures, {"id": "jpeg", "qualities": [50]})
    spool, copy = tmp_path / "runs" / "spool", tmp_path / "copy"
    copy.mkdir()
    benchbox.run(asked, workspace=tmp_path / "first", reports=[], progress=Copying(tmp_path / "first" / "spool", copy))
    shutil.copytree(copy, spool)
    for path in spool.glob("*.jsonl"):
        events = [unseal(line) for line in path.read_bytes().splitlines()]
        failed = {"status": "failed", "reason": "gone", "changed": "gone"}
        path.write_bytes(b"".join(seal({**event, **failed}) for event in events if event["event"] == "point"))
    progress = Copying(spool, copy)
    benchbox.run(asked, workspace=tmp_path / "runs", reports=[], progress=progress)
    assert not [line for line in progress.said if "recovered" in line]
    assert [value[-1] for value in measured(tmp_path).values()] == ["1"] * 3
