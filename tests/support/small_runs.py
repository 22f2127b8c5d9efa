"""A folder of small photographs, plans over it, and runs of them."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import benchbox
from benchbox import image
from benchbox.execution import LocalExecutor
from benchbox.execution.executor import OnPoints
from benchbox.plan import Job
from benchbox.session import Silent


@pytest.fixture
def pictures(tmp_path: Path, photo: np.ndarray) -> Path:
    """Three small photographs in a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        image.write_png(folder / f"{i}.png", np.ascontiguousarray(photo[i * 8 : i * 8 + 168, i * 16 : i * 16 + 180]))
    return folder


def plan(pictures: Path, *codecs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan named "t" that scores PSNR; `more` adds to it or replaces."""
    return {"name": "t", "dataset": f"folder:{pictures}", "metrics": ["psnr"], "codec": list(codecs)} | more


def go(tmp_path: Path, asked: dict[str, Any], workers: int = 2) -> pd.DataFrame:
    """Run a plan in ``tmp_path/runs``, without reports."""
    return benchbox.run(asked, workspace=tmp_path / "runs", workers=workers, reports=[])


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame as objects with an attribute a column."""
    return list(frame.itertuples())


def measured(tmp_path: Path) -> dict[str, str]:
    """key -> time of measurement and attempts, of every encoding in the store that is ok."""
    with sqlite3.connect(f"file:{tmp_path}/runs/store.sqlite?mode=ro", uri=True) as db:
        try:
            return dict(db.execute("SELECT key, measured || attempts FROM encodings WHERE status = 'ok'"))
        except sqlite3.OperationalError:  # the tables are being made
            return {}


class Stopped:
    """Runs the first `count` jobs, then is stopped with Ctrl-C."""

    workers = threads = 1
    hosts: ClassVar[dict[str, dict[str, object]]] = {}

    def __init__(self, inner: LocalExecutor, count: int) -> None:
        self._inner, self._count = inner, count

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Callable[[Job], Job | None]) -> None:
        self._inner.run(itertools.islice(jobs, self._count), on_points, admit)
        raise KeyboardInterrupt


class Said(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)
