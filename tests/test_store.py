"""The results database: what it refuses, what it keeps, and that failures never stand in for results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from benchbox.dataset import FileSample
from benchbox.errors import StoreError
from benchbox.jobs import Entry, Job, Point
from benchbox.store import MAX_ATTEMPTS, VERSION, Store
from benchbox.streams import keep_stream, read_stream, stream_path

SESSION = {"id": "s1", "host": "h", "threads": 1, "workers": 2}
POINTS = (Point("k1", 10.0, ("psnr",)), Point("k2", 20.0, ("psnr",)))
JOB = Job(FileSample("a", Path("a.png")), "d", "jpeg", "jpeg", "{}", "id 1", "cpu", POINTS)


def row(key: str, status: str = "ok", **more: Any) -> dict[str, Any]:
    shape = {"width": 4, "height": 4, "channels": 3, "bit_depth": 8}
    result = {"bytes": 10, "exact": False, "stream_sha256": "f" * 64, "pixels_sha256": "e" * 64, "encode_s": 0.5,
              "decode_s": 0.25, "encode_cpu_s": 0.4, "decode_cpu_s": 0.2,
              "scores": {"psnr": ["1", 30.0, ""]}}  # fmt: skip
    return {"key": key, "status": status, "reason": "" if status == "ok" else "why", **shape,
            **(result if status == "ok" else {}), **more}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        opened.register("r", [Entry(p.key, "d", "a", "jpeg", "jpeg", p.quality) for p in POINTS])
        yield opened


def test_what_is_appended_is_had(store: Store, tmp_path: Path) -> None:
    sha256 = keep_stream(store.streams, b"stream")
    store.append([(JOB, row("k1", stream_sha256=sha256))], SESSION)
    have = store.have("r", {"psnr": "1", "ms-ssim": "1"})
    assert set(have) == {"k1"}
    assert have["k1"].measured
    assert have["k1"].stream == sha256
    assert have["k1"].scored == {"psnr"}
    assert store.status_counts("r") == {"ok": 1, "missing": 1}


def test_scores_of_another_version_do_not_count(store: Store) -> None:
    store.append([(JOB, row("k1"))], SESSION)
    assert store.have("r", {"psnr": "2"})["k1"].scored == frozenset()
    store.append([(JOB, {"key": "k1", "status": "ok", "rescored": True, "scores": {"psnr": ["2", 31.0, ""]}})], SESSION)
    assert store.have("r", {"psnr": "2"})["k1"].scored == {"psnr"}
    assert list(store.scores("r", "psnr", "1")) == [("k1", 30.0, "")]


def test_a_failure_is_tried_again_until_it_is_settled(store: Store) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        store.append([(JOB, row("k1", "crashed"))], SESSION)
        assert store.have("r", {})["k1"].measured == (attempt == MAX_ATTEMPTS)
    assert not store.have("r", {}, retry=True)["k1"].measured
    assert list(store.failures("r")) == [("jpeg", "crashed", "why", 1)]
    store.append([(JOB, row("k1"))], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}


def test_a_failure_never_replaces_a_result(store: Store) -> None:
    store.append([(JOB, row("k1"))], SESSION)
    store.append([(JOB, row("k1", "timeout"))], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}
    store.append([(JOB, {"key": "k1", "status": "failed", "reason": "x", "rescored": True})], SESSION)
    assert store.status_counts("r") == {"ok": 1, "missing": 1}


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).__exit__()
    with sqlite3.connect(tmp_path / "store.sqlite") as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    for read_only in (False, True):
        with pytest.raises(StoreError, match="later benchbox"):
            Store(tmp_path, read_only=read_only)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"store\.sqlite: .*move it away"):
        Store(tmp_path)


def test_network_disks_get_a_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, journal in (("nfs4", "delete"), ("ext4", "wal")):
        disks = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype=kind)]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all, disks=disks: disks)
        with Store(tmp_path / kind) as opened, sqlite3.connect(opened.path) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == (journal,)


def test_streams_are_whole_or_named_as_damaged(tmp_path: Path) -> None:
    sha256 = keep_stream(tmp_path, b"abc")
    assert keep_stream(tmp_path, b"abc") == sha256
    assert read_stream(tmp_path, sha256) == b"abc"
    stream_path(tmp_path, sha256).write_bytes(b"abd")
    with pytest.raises(StoreError, match="is damaged; delete it"):
        read_stream(tmp_path, sha256)
    stream_path(tmp_path, sha256).unlink()
    with pytest.raises(StoreError, match="is gone"):
        read_stream(tmp_path, sha256)
