"""Jobs that end between two looks at the workers are stored in one transaction; none of their points can be lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from small_runs import go, measured, plan

import benchbox
from benchbox.errors import StoreError
from benchbox.execution.local import TICK
from benchbox.session import Silent
from benchbox.store import WritableStore

JPEG = {"id": "jpeg", "qualities": [20, 50, 80]}


class Said(Silent):
    """Notes what is said."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def say(self, message: str) -> None:
        self._lines.append(message)


def test_a_transaction_that_fails_loses_no_point(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = WritableStore.together

    @contextmanager
    def full(store: WritableStore) -> Iterator[None]:
        with together(store):
            yield
            stored = store._db.execute("SELECT COUNT(*) FROM encodings").fetchone()[0]
            if stored:
                raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(WritableStore, "together", full)
        with pytest.raises(StoreError, match="disk is full"):
            go(tmp_path, plan(pictures, JPEG))
    assert measured(tmp_path) == {}
    assert list((tmp_path / "runs" / "spool").glob("*.jsonl"))
    said: list[str] = []
    benchbox.run(plan(pictures, JPEG), workspace=tmp_path / "runs", reports=[], progress=Said(said))
    assert any(line.startswith("recovered ") for line in said)
    assert len(measured(tmp_path)) == 9
    assert all(value.endswith("1") for value in measured(tmp_path).values()), "none was measured twice"
    assert not list((tmp_path / "runs" / "spool").glob("*.jsonl"))


def test_jobs_share_transactions(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = []
    together = WritableStore.together

    def noted(self: WritableStore) -> AbstractContextManager[None]:
        blocks.append(time.monotonic())
        return together(self)

    monkeypatch.setattr(WritableStore, "together", noted)
    labels = [{"id": "jpeg", "label": f"jpeg{k}", "qualities": [k + 10]} for k in range(30)]
    frame = go(tmp_path, plan(pictures, *labels))
    assert set(frame["status"]) == {"ok"}
    assert len(measured(tmp_path)) == 90
    assert len(blocks) <= 2 + (blocks[-1] - blocks[0]) / TICK
