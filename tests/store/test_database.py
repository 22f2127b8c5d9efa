"""The results database: refused writes, stored measurements, and failures that never count as results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stored_points import JOB, KEYS, POINTS, SESSION, row

from benchbox.plan import Entry, Have
from benchbox.store import Wanted, Workspace, WritableStore
from benchbox.store.held import MAX_ATTEMPTS, Unfinished


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
    assert store.outcomes("r")[0] == {"ok": 1, "missing": 1}


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
    assert store.outcomes("r")[1] == [("jpeg", "crashed", "why", 1)]
    store.append([(JOB, row("k1"))], SESSION)
    assert store.outcomes("r")[0] == {"ok": 1, "missing": 1}


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
    assert store.outcomes("r")[0] == {"ok": 1, "missing": 1}
    store.append([(JOB, {"key": "k1", "status": "failed", "reason": "x", "rescored": True})], SESSION)
    assert store.outcomes("r")[0] == {"ok": 1, "missing": 1}


def test_what_is_kept_together_is_stored_at_once_or_not_at_all(store: WritableStore, tmp_path: Path) -> None:
    def seen() -> list[str]:
        with sqlite3.connect(f"file:{tmp_path}/store.sqlite?mode=ro", uri=True) as db:
            return [key for (key,) in db.execute("SELECT key FROM encodings ORDER BY key")]

    with store.together():
        store.append([(JOB, row("k1"))], SESSION)
        store.append([(JOB, row("k2"))], SESSION)
        assert seen() == []
    assert seen() == ["k1", "k2"]

    def interrupted() -> None:
        with store.together():
            store.append([(JOB, row("k1", bytes=99))], SESSION)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    store.append([(JOB, row("k2", bytes=88))], SESSION)
    with sqlite3.connect(f"file:{tmp_path}/store.sqlite?mode=ro", uri=True) as db:
        assert db.execute("SELECT key, bytes FROM encodings ORDER BY key").fetchall() == [("k1", 10), ("k2", 88)]


def test_only_what_is_unfinished_is_listed(store: WritableStore) -> None:
    store.append([(JOB, row("k1")), (JOB, row("k2"))], SESSION)
    assert store.unfinished(KEYS, Wanted({"psnr": "1"})) == Unfinished({}, all_ok=True)
    assert store.unfinished([*KEYS, "k3"], Wanted({"psnr": "1"})) == Unfinished({"k3": None}, all_ok=False)
    assert set(store.unfinished(KEYS, Wanted({"psnr": "2"})).points) == set(KEYS)
    assert set(store.unfinished(KEYS, Wanted({"psnr": "1", "ms-ssim": "1"})).points) == set(KEYS)
    changed = store.unfinished(KEYS, Wanted({"psnr": "1"}, sources={"jpeg": "b"}))
    assert changed.points == {}, "with which files they were measured is not known"


def test_points_of_a_changed_plugin_are_listed_and_count_unless_renewed(store: WritableStore) -> None:
    store.append([(JOB, row("k1", source_sha256="a")), (JOB, row("k2", source_sha256="b"))], SESSION)
    wanted = Wanted({"psnr": "1"}, sources={"jpeg": "b"})
    assert store.unfinished(KEYS, wanted).points == {"k1": Have(True, None, frozenset({"psnr"}), "jpeg")}
    renewed = replace(wanted, renewed=frozenset({"jpeg"}))
    assert store.unfinished_of("r", renewed).points == {"k1": Have(False, None, frozenset({"psnr"}), "jpeg")}


def test_rows_of_a_run_are_written_only_where_they_differ(store: WritableStore, tmp_path: Path) -> None:
    rows = [Entry(f"k{k}", "d", f"a{k}", "jpeg", "jpeg", None if k == 3 else float(k)) for k in range(25_000)]
    for asked in (rows, rows, rows[:24_000], [*rows[:11_000], *rows[11_001:]], rows[:1]):
        before, same = store._db.total_changes, store.lists("r", asked)
        assert store._db.total_changes == before
        store.register("r", asked)
        assert (store._db.total_changes == before) == same
        assert store.lists("r", asked)
        assert list(store._db.execute(f"SELECT {', '.join(Entry._fields)} FROM entries ORDER BY ordinal")) == asked
        assert not store.lists("r", asked[:-1])
        assert not store.lists("r", [*asked, rows[-1]])
    assert store.outcomes("r") == ({"missing": 1}, [])


def test_rows_that_share_an_encoding_all_count(store: WritableStore) -> None:
    store.register("r", [Entry("k1", "d", name, "jpeg", "jpeg", 1.0) for name in ("a", "b", "c")])
    store.append([(JOB, row("k1"))], SESSION)
    assert store.outcomes("r") == ({"ok": 3}, [])
    store.register("r", [Entry(key, "d", "a", "jpeg", "jpeg", 1.0) for key in ("k1", "k2", "k2", "k3")])
    store.append([(JOB, row("k2", "failed"))], SESSION)
    assert store.outcomes("r") == ({"ok": 1, "failed": 2, "missing": 1}, [("jpeg", "failed", "why", 2)])
