"""Other processes are watched while points are timed: quick points of a job share a look, slow ones have their own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from small_runs import go, plan

from benchbox import registry
from benchbox.machine import SHORTEST_LOOK, Others
from benchbox.plan import Job, Point, SampleName, Timing
from benchbox.store import Workspace
from benchbox.work import Worker, run_job


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When it was looked, in seconds."""
    found: list[float] = []
    cores = Others.cores

    def noted(self: Others) -> float:
        found.append(time.perf_counter())
        return cores(self)

    monkeypatch.setattr(Others, "cores", noted)
    return found


def timed(tmp_path: Path, pictures: Path, count: int, repeats: int, **more: Any) -> list[dict[str, Any]]:
    """All that a worker reports of one timed job of `count` points."""
    row = go(tmp_path, plan(pictures, {"id": "jpeg", "qualities": [50]})).iloc[0]
    points = tuple(Point(f"k{q}", float(q), ()) for q in range(10, 10 + count))
    name = SampleName(str(row["dataset"]), str(row["sample"]))
    job = Job(name, str(row["sample_sha256"]), "jpeg", "jpeg", str(row["options"]), str(row["identity"]), "cpu", points,
              Timing(repeats=repeats))  # fmt: skip
    events: list[dict[str, Any]] = []
    streams = Workspace.at(tmp_path / "runs").streams
    run_job(Worker(registry.load()), job, streams, events.append, **more)
    return events


def test_quick_points_share_a_look(tmp_path: Path, pictures: Path, looks: list[float]) -> None:
    begun = time.perf_counter()
    found = [event for event in timed(tmp_path, pictures, 30, 1) if event["event"] == "point"]
    assert [event["key"] for event in found] == [f"k{q}" for q in range(10, 40)]
    assert all(event["timing"]["others"] >= 0 and event["timing"]["encode_s"][0] > 0 for event in found)
    assert 1 <= len(looks) <= 1 + (time.perf_counter() - begun) / SHORTEST_LOOK
    assert len(looks) < len(found), "30 points of some milliseconds"


def test_a_slow_point_is_reported_before_the_next_begins(tmp_path: Path, pictures: Path, looks: list[float]) -> None:
    events = timed(tmp_path, pictures, 3, 400)
    assert [event["event"] for event in events] == ["start", *["start", "point"] * 3]
    assert len(looks) == 3


def test_what_is_held_is_reported_when_the_job_is_cut_short(tmp_path: Path, pictures: Path) -> None:
    left = iter([True, True, False])
    events = timed(tmp_path, pictures, 30, 1, go_on=lambda: next(left))
    assert [event["key"] for event in events if event["event"] == "point"] == ["k10", "k11", "k12"]
