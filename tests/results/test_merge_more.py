"""What `benchbox merge` does with former runs, with other paths, with pictures that one machine cannot read, and where
it is stopped or finds no room."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import benchbox
from benchbox.cli.main import commands
from benchbox.errors import StoreError
from benchbox.store import Streams, Workspace, WritableStore

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"


def execute(workspace: Path, *statements: str) -> None:
    with sqlite3.connect(workspace / "store.sqlite") as db:
        for statement in statements:
            db.execute(statement)


def copied(tmp_path: Path, name: str, *statements: str) -> Path:
    """A copy of the workspace of an earlier release, changed."""
    workspace = Path(shutil.copytree(GOLDEN, tmp_path / name))
    execute(workspace, *statements)
    return workspace


def merged(*folders: Path, into: Path) -> str:
    done = CliRunner().invoke(commands, ["merge", *map(str, folders), "--into", str(into)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def with_former(tmp_path: Path, name: str, rows: int) -> Path:
    """A workspace whose run has a former run of so many rows."""
    workspace = copied(
        tmp_path, name, "CREATE TABLE formers (run TEXT PRIMARY KEY, folder TEXT NOT NULL) WITHOUT ROWID",
        f"INSERT INTO formers VALUES ('past~1', 'past~{name}')",
        f"INSERT INTO entries SELECT 'past~1', ordinal, key, dataset, sample, label, codec, quality FROM entries "
        f"WHERE ordinal < {rows}")  # fmt: skip
    shutil.copytree(workspace / "past", workspace / f"past~{name}")
    return workspace


def test_former_runs_come_along(tmp_path: Path) -> None:
    one, two, plain = (with_former(tmp_path, "one", 5), with_former(tmp_path, "two", 7), copied(tmp_path, "plain"))
    for _ in range(2):
        said = merged(plain, one, two, one, into=tmp_path / "all")
    assert [line.split()[0] for line in said.splitlines()[-3:]] == ["past:", "past~1:", "past~2:"]
    for name, rows in (("past", 36), ("past~1", 5), ("past~2", 7)):
        assert len(benchbox.load(name, tmp_path / "all")) == rows
    other = with_former(tmp_path, "three", 9)
    execute(other, "DELETE FROM entries WHERE run = 'past' AND ordinal > 20")
    merged(other, into=tmp_path / "all")
    assert len(benchbox.load("past-three", tmp_path / "all")) == 21
    assert len(benchbox.load("past-three~1", tmp_path / "all")) == 9


def test_paths_of_data_sets_may_differ(tmp_path: Path) -> None:
    one = copied(tmp_path, "one")
    two = copied(tmp_path, "two", "UPDATE entries SET dataset = 'folder:/elsewhere/x'")
    assert merged(one, two, into=tmp_path / "all").count("past: 36 ok") == 1
    pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), benchbox.load("past", one))


def test_a_picture_that_one_machine_cannot_read_comes_from_the_other(tmp_path: Path) -> None:
    one = copied(
        tmp_path, "one",
        "UPDATE encodings SET key = 'x' || key, sample_sha256 = 'unreadable x', status = 'failed', reason = 'no', "
        "stream_sha256 = NULL WHERE key IN (SELECT key FROM entries WHERE ordinal < 4)",
        "UPDATE entries SET key = 'x' || key WHERE ordinal < 4")  # fmt: skip
    two = copied(tmp_path, "two")
    for k, order in enumerate([(one, two), (two, one)]):
        said = merged(*order, into=tmp_path / f"{k}")
        assert said.endswith("\npast: 36 ok\n")
        pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / f"{k}"), benchbox.load("past", two))


def test_damaged_and_missing_streams_and_a_spool_are_told(tmp_path: Path) -> None:
    one = copied(tmp_path, "one")
    first, second, *rest = sorted(path for path in (one / "streams").rglob("*") if path.is_file())
    first.write_bytes(first.read_bytes()[::-1])
    second.unlink()
    (one / "spool").mkdir()
    (one / "spool" / "left.jsonl").write_text("{}")
    said = merged(one, into=tmp_path / "all")
    assert f"{len(rest)} streams copied" in said
    assert "1 streams are damaged there and left out" in said
    assert "5 streams are missing there" in said  # four of them before
    assert "a stopped run left points in" in said
    (one / "spool" / "damaged").mkdir()
    (one / "spool" / "left.jsonl").rename(one / "spool" / "damaged" / "left.jsonl")  # as running the plan leaves it
    assert "left points" not in merged(one, into=tmp_path / "all")
    assert Streams(tmp_path / "all" / "streams").has(rest[0].name)
    merged(copied(tmp_path, "whole"), into=tmp_path / "all")
    assert {path.name for path in (tmp_path / "all" / "streams").glob("*/*")} == {first.name, second.name,
                                                                                 *(path.name for path in rest)}


def test_a_workspace_in_which_a_run_is_at_work(tmp_path: Path) -> None:
    place = Workspace.at(copied(tmp_path, "one"))
    with place.lock(), WritableStore(place) as store:
        store.keep_digests({"a": "b"})  # lies in the journal as yet
        said = merged(place.folder, into=tmp_path / "all")
        assert "past: 36 ok" in said
        assert f"a run is at work in {place}, of which more comes than was taken; merge again when it is done" in said
    assert "at work" not in merged(place.folder, into=tmp_path / "all")
    for name in ("store.sqlite-wal", "store.sqlite-shm"):  # as a killed run leaves them
        assert not (place.folder / name).exists()
    with sqlite3.connect(place.database, isolation_level=None) as killed:
        killed.execute("PRAGMA journal_mode = WAL")
        killed.execute("DELETE FROM entries WHERE ordinal > 30")
        left = Path(shutil.copytree(place.folder, tmp_path / "left"))
    killed.close()
    before = {path.name: path.read_bytes() for path in left.glob("store*")}
    assert len(before) >= 2
    assert "past: 31 ok" in merged(left, into=tmp_path / "others")
    assert {path.name: path.read_bytes() for path in left.glob("store*")} == before


def test_a_killed_merge_is_completed_by_the_same_command(tmp_path: Path) -> None:
    one = copied(tmp_path, "one")
    arguments = ["merge", str(one), "--into", str(tmp_path / "all")]
    merge = subprocess.Popen([sys.executable, "-m", "benchbox", *arguments])
    while merge.poll() is None and not [*(tmp_path / "all").glob("streams/*/*")]:
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError):
        os.kill(merge.pid, signal.SIGKILL)
    merge.wait()
    with contextlib.suppress(StoreError):  # all or nothing
        assert len(benchbox.load("past", tmp_path / "all")) == 36
    merged(one, into=tmp_path / "all")
    pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), benchbox.load("past", one))


@pytest.mark.parametrize("place", ["streams", "past", "."])
def test_no_room_is_one_line_and_takes_nothing(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = copied(tmp_path, "one")
    write = Path.write_bytes if place == "streams" else Path.write_text

    def full(self: Path, *args: object, **more: object) -> int:
        if (tmp_path / "all" / place) in self.parents:
            raise OSError(28, "No space left on device")
        return write(self, *args, **more)  # type: ignore[arg-type]

    if place == ".":
        monkeypatch.setattr("benchbox.store.opening.migrate", _small)
    else:
        monkeypatch.setattr(Path, write.__name__, full)
    with pytest.raises(StoreError, match=r"(No space left on device|database or disk is full); make room"):
        merged(one, into=tmp_path / "all")
    monkeypatch.undo()
    with pytest.raises(StoreError, match="no run is called 'past'"):
        benchbox.load("past", tmp_path / "all")
    merged(one, into=tmp_path / "all")
    assert len(benchbox.load("past", tmp_path / "all")) == 36


def _small(db: sqlite3.Connection) -> None:
    from benchbox.store.tables import migrate

    migrate(db)
    db.execute("PRAGMA max_page_count = 12")
