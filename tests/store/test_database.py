"""The results database: refused writes, stored measurements, and failures that never count as results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stored_points import JOB, KEYS, POINTS, SESSION, row

from benchbox.plan import Entry
from benchbox.store import Workspace, WritableStore
from benchbox.store.database import MAX_ATTEMPTS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WritableStore]:
    with WritableStore(Workspace.at(tmp_path)) as opened:
        opened.register("r", [Entry(p.key, "d", "a", "jpeg", "jpeg", p.quality) for p in POINTS])
        yield opened


def test_what_is_appended_is_had(store: WritableStore, tmp_path: Path) -> None:
    sha256 = store.workspace.streams.put(b"stream")
    store.append([(JOB, row("k1", stream_sha256=sha256, bytes=6))], SESSION)
    have = store.have(KEYS, {"psnr": "1", "ms-ssim": "1"})
    assert set(have) == {"k1"}
    assert have["k1"].measured
    assert have["k1"].stream == sha256
    assert have["k1"].scored == {"psnr"}
    assert store.status_counts("r") == {"ok": 1, "missing": 1}


def test_scores_of_another_version_do_not_count(store: WritableStore) -> None:
    store.append([(JOB, row("k1"))], SESSION)
    assert store.have(KEYS, {"psnr": "2"})["k1"].scored == frozenset()
    store.append([(JOB, {"key": "k1", "status": "ok", "rescored": True, "scores": {"psnr": ["2", 31.0, ""]}})], SESSION)
    assert store.have(KEYS, {"psnr": "2"})["k1"].scored == {"psnr"}
    assert store.scores(KEYS, "psnr", "1") == {"k1": (30.0, "")}


def test_a_failure_is_tried_again_until_it_is_settled(store: WritableStore) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        store.append([(JOB, row("k1", "crashed"))], SESSION)
        assert store.have(KEYS, {})["k1"].measured == (attempt == MAX_ATTEMPTS)
    assert not store.have(KEYS, {}, retry=True)["k1"].measured
    assert list(store.failures("r")) == [("jpeg", "crashed", "why", 1)]
    store.append([(JOB, row("k1"))], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}


def test_what_is_fully_scored_needs_no_stream(store: WritableStore) -> None:
    sha256 = store.workspace.streams.put(b"stream")
    store.append([(JOB, row("k1", stream_sha256=sha256, bytes=6))], SESSION)
    assert store.have(KEYS, {"psnr": "1"})["k1"].stream is None
    assert store.streams_of(KEYS) == {"k1": sha256}


def test_a_run_is_forgotten_and_its_measurements_stay(store: WritableStore) -> None:
    store.append([(JOB, row("k1"))], SESSION)
    assert store.forget("r") == 2
    assert store.runs() == []
    assert store.have(KEYS, {})["k1"].measured


def test_a_failure_never_replaces_a_result(store: WritableStore) -> None:
    store.append([(JOB, row("k1"))], SESSION)
    store.append([(JOB, row("k1", "timeout"))], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}
    store.append([(JOB, {"key": "k1", "status": "failed", "reason": "x", "rescored": True})], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}
