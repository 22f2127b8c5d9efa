"""`benchbox gc` drops what no run needs, and nothing where it cannot know what is needed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchbox.cli import data  # noqa: F401  (adds the command)
from benchbox.cli.main import commands
from benchbox.errors import StoreError

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"


def gc(workspace: Path) -> str:
    """What the command prints."""
    return CliRunner().invoke(commands, ["gc", "--workspace", str(workspace)], catch_exceptions=False).output


def streams(workspace: Path) -> int:
    return sum(path.is_file() for path in (workspace / "streams").rglob("*"))


def empty_tables(store: Path) -> None:
    with sqlite3.connect(store) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            db.execute(f"DELETE FROM {table}")


LOST: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink, "zero bytes": lambda store: store.write_bytes(b""), "no rows": empty_tables,
    "damaged": lambda store: store.write_bytes(b"x" * 9000),
}  # fmt: skip


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_streams_stay_where_the_store_is_lost(lose: Callable[[Path], object], tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(GOLDEN, tmp_path / "runs"))
    lose(workspace / "store.sqlite")
    before = streams(workspace)
    assert before > 9
    with pytest.raises(StoreError):
        gc(workspace)
    assert streams(workspace) == before


def test_nothing_is_made_where_there_is_no_workspace(tmp_path: Path) -> None:
    for workspace in (tmp_path / "mistyped", tmp_path):
        with pytest.raises(StoreError, match="there are no results"):
            gc(workspace)
    assert [*tmp_path.iterdir()] == []


def test_what_no_run_needs_goes(tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(GOLDEN, tmp_path / "runs"))
    assert "0 streams deleted" in gc(workspace)
    (workspace / "streams" / "ab").mkdir()
    for name in ("ab" * 32, "ac" * 32):
        (workspace / "streams" / "ab" / name).write_bytes(b"12345")
    (workspace / "spool").mkdir()
    (workspace / "spool" / "left.jsonl").write_text(f'{{"stream_sha256": "{"ac" * 32}"}}')  # of a run that was killed
    assert "1 streams deleted" in gc(workspace)
    CliRunner().invoke(commands, ["forget", "past", "--workspace", str(workspace)], catch_exceptions=False)
    (workspace / "spool" / "left.jsonl").unlink()
    gc(workspace)
    assert streams(workspace) == 0
