"""Opening a workspace's database: versions, damage, network disks; reading does not change a byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import benchbox
from benchbox.errors import StoreError
from benchbox.store import Store, Workspace, WritableStore
from benchbox.store.tables import TABLES, VERSION

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one run."""
    return Workspace.at(shutil.copytree(GOLDEN, tmp_path / "runs"))


def test_a_later_version_is_refused(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.database) as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    for kind in (Store, WritableStore):
        with pytest.raises(StoreError, match="later benchbox"), kind(workspace):
            pass


@pytest.mark.parametrize("kind", [Store, WritableStore])
def test_a_file_that_is_no_database_is_named(kind: type[Store], tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"store\.sqlite: is damaged .*move it away"), kind(Workspace.at(tmp_path)):
        pass


def test_network_disks_get_a_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, journal in (("nfs4", "delete"), ("ext4", "wal")):
        disks = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype=kind)]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all, disks=disks: disks)
        with WritableStore(Workspace.at(tmp_path / kind)) as opened:
            path = opened.workspace.database
            with sqlite3.connect(path) as db:
                assert db.execute("PRAGMA journal_mode").fetchone() == (journal,)


@pytest.mark.parametrize("table", [*TABLES])
def test_a_column_that_an_older_database_lacks_is_null_and_then_made(table: str, workspace: Workspace) -> None:
    last = [name for name, kind in TABLES[table].items() if "NOT NULL" not in kind and "PRIMARY" not in kind][-1:]
    before = benchbox.load("past", workspace.folder)
    with sqlite3.connect(workspace.database) as db:
        kept = {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
        db.executescript("".join(f"ALTER TABLE {table} DROP COLUMN {name};" for name in last if name in kept))
    if table not in ("scores", "entries"):  # their nullable columns, value and quality, were there from the start
        frame = benchbox.load("past", workspace.folder)
        assert len(frame) == len(before)
        changed = [name for name in frame if not frame[name].equals(before[name])]
        assert set(changed) <= {*last, "decode_cpu_s"}
        assert all(frame[name].isna().all() for name in changed)
    with WritableStore(workspace), sqlite3.connect(workspace.database) as db:
        assert {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")} == {*TABLES[table]}


def test_reading_leaves_every_byte(workspace: Workspace) -> None:
    before = digests(workspace.folder)
    frame = benchbox.load("past", workspace.folder)
    assert len(frame) == 36
    with Store(workspace) as store:
        assert store.have(frame["key"], {"psnr": "1"})
    assert digests(workspace.folder) == before


KILLED = """
import os, sys
from benchbox.store import Workspace, WritableStore
store = WritableStore(Workspace.at(sys.argv[1])).__enter__()
store.keep_digests({"a": "b"})
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_run_left_is_read_and_left_as_it_is(workspace: Workspace) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(workspace.folder)], check=False)
    before = digests(workspace.folder)
    assert "store.sqlite-wal" in before
    with Store(workspace) as store:
        assert store.known_digests(["a"]) == {"a": "b"}
    assert len(benchbox.load("past", workspace.folder)) == 36
    assert digests(workspace.folder) == before
    with WritableStore(workspace) as store:
        assert store.known_digests(["a"]) == {"a": "b"}


def test_a_run_at_work_is_read_as_it_stands(workspace: Workspace) -> None:
    with workspace.lock(), WritableStore(workspace) as store:
        store.keep_digests({"a": "b"})
        with Store(workspace) as reader:
            assert reader.known_digests(["a"]) == {"a": "b"}


def test_a_folder_that_cannot_be_written_is_read(workspace: Workspace) -> None:
    mount = ["mount", "--bind", str(workspace.folder), str(workspace.folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(workspace.folder)], check=True)
        assert len(benchbox.load("past", workspace.folder)) == 36
    finally:
        subprocess.run(["umount", "-l", str(workspace.folder)], check=True)
