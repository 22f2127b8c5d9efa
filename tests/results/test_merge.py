"""`benchbox merge` unites workspaces that never met: the same as one run, twice as once; what it reads stays whole."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tomli_w
from click.testing import CliRunner, Result
from small_runs import plan

import benchbox
from benchbox.cli.main import commands
from benchbox.errors import BenchboxError, StoreError, UsageError

GOLDEN = Path(__file__).parents[1] / "golden"
CODECS: tuple[dict[str, Any], ...] = (
    {"id": "jpeg", "qualities": [20, 50, 80]}, {"id": "webp", "qualities": [30, 70]}, {"id": "qoi"},
)  # fmt: skip


def merge(*folders: Path, into: Path) -> Result:
    return CliRunner().invoke(commands, ["merge", *map(str, folders), "--into", str(into)])


def merged(*folders: Path, into: Path) -> str:
    """What the command prints; it must succeed."""
    done = merge(*folders, into=into)
    assert done.exit_code == 0, done.output or done.exception
    return done.output


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its time of change."""
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def rows(workspace: Path) -> dict[str, list[Any]]:
    """Every row of a store by table."""
    with sqlite3.connect(f"file:{workspace}/store.sqlite?mode=ro", uri=True) as db:
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
                for table in ("encodings", "scores", "timings", "entries")}  # fmt: skip


def execute(workspace: Path, statement: str) -> None:
    with closing(sqlite3.connect(workspace / "store.sqlite")) as db, db:
        db.execute(statement)


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A workspace of an earlier release."""
    return Path(shutil.copytree(GOLDEN / "workspace-1", tmp_path / "past"))


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """What does not depend on where and when a frame was measured."""
    taken_here = ("host", "timing", "threads")
    return frame.drop(columns=[n for n in map(str, frame) if n.endswith("_s") or n in taken_here])


@pytest.mark.slow
def test_four_shards_are_one_run(tmp_path: Path, pictures: Path) -> None:
    asked = plan(pictures, *CODECS, metrics=["psnr", "ms-ssim"])
    whole = benchbox.run(asked, workspace=tmp_path / "whole", workers=1, reports=["tables"])
    (tmp_path / "t.toml").write_text(tomli_w.dumps(asked), encoding="utf-8")
    shards = [tmp_path / f"shard-{k}" for k in (1, 2, 3, 4)]
    command = [sys.executable, "-m", "benchbox", "run", str(tmp_path / "t.toml"), "--workers", "1"]
    processes = [subprocess.Popen([*command, "--workspace", str(shard), "--shard", f"{k}/4"], stdout=subprocess.PIPE)
                 for k, shard in enumerate(shards, 1)]  # fmt: skip
    for process in processes:
        assert b"other shards'" in process.communicate(timeout=300)[0]
        assert process.returncode == 0
    before = [contents(shard) for shard in shards]
    for k in (2, 4):  # some earlier than others
        said = merged(*shards[:k], into=tmp_path / "all")
    assert "t: 18 ok" in said
    assert [contents(shard) for shard in shards] == before
    one = benchbox.load("t", tmp_path / "all")
    pd.testing.assert_frame_equal(measured(one), measured(whole))
    assert one["encode_s"].notna().all()
    made = CliRunner().invoke(commands, ["report", "t", "--format", "tables", "--workspace", str(tmp_path / "all")])
    assert made.exit_code == 0, made.output
    tables = [sorted((tmp_path / place / "t" / "report" / "tables").glob("*.csv")) for place in ("whole", "all")]
    assert len(tables[0]) > 5
    for one_run, united in zip(*tables, strict=True):
        if not one_run.name.startswith("speed"):
            assert one_run.read_bytes() == united.read_bytes()
    streams = {path.name for path in (tmp_path / "all" / "streams").rglob("*") if path.is_file()}
    assert streams == set(whole["stream_sha256"])
    sessions = (tmp_path / "all" / "t" / "environment.json").read_text()
    assert sessions.count('"start"') == 4

    kept = contents(tmp_path / "all")
    assert ", 0 of them new; 0 streams copied" in merged(*shards, into=tmp_path / "all")
    after = contents(tmp_path / "all")
    assert {name for name in kept if kept[name] != after.get(name)} <= {"store.sqlite"}
    again = benchbox.run(asked, workspace=tmp_path / "all", workers=1, reports=[])
    pd.testing.assert_frame_equal(again, one)


def test_an_older_workspace_that_is_only_read(tmp_path: Path, past: Path) -> None:
    before = contents(past)
    for path in (past, *past.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    said = merged(past, past, into=tmp_path / "all")
    assert "past: 36 ok" in said
    assert "36 points, 36 of them new" in said
    assert contents(past) == before
    pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), benchbox.load("past", past))
    for path in (past, *past.rglob("*")):
        path.chmod(0o755)


def test_a_better_row_stays(tmp_path: Path, past: Path) -> None:
    worse = Path(shutil.copytree(past, tmp_path / "worse"))
    execute(worse, "UPDATE encodings SET status = 'failed', reason = 'no', stream_sha256 = NULL, bytes = NULL")
    execute(worse, "DELETE FROM scores")
    expected = benchbox.load("past", past)
    for k, order in enumerate([(worse, past), (past, worse)]):
        said = merged(*order, into=tmp_path / f"{k}")
        assert ("36 better than what was there" in said) == (k == 0)
        pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / f"{k}"), expected)
    assert rows(tmp_path / "0") == rows(tmp_path / "1")


def test_other_bytes_under_one_key_are_told_and_not_mixed(tmp_path: Path, past: Path) -> None:
    other = Path(shutil.copytree(past, tmp_path / "other"))
    changed = "(SELECT key FROM encodings WHERE codec = 'jpeg' LIMIT 2)"
    execute(other, f"UPDATE encodings SET stream_sha256 = '{'ab' * 32}', bytes = 7 WHERE key IN {changed}")
    execute(other, f"UPDATE scores SET value = 1 WHERE key IN {changed}")
    for _ in range(2):
        done = merge(past, other, into=tmp_path / "all")
        assert done.exit_code == 1
        assert "jpeg: 2 points have other bytes or pixels" in done.output
        pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), benchbox.load("past", past))


def test_other_scores_of_the_same_pixels_are_told(tmp_path: Path, past: Path) -> None:
    other = Path(shutil.copytree(past, tmp_path / "other"))
    execute(other, "UPDATE scores SET value = value + 0.01 WHERE metric = 'psnr'")
    count = benchbox.load("past", past).drop_duplicates("key")["psnr"].notna().sum()
    assert f"  {count} scores of the same pixels differ" in merged(past, other, into=tmp_path / "all")
    pd.testing.assert_frame_equal(benchbox.load("past", tmp_path / "all"), benchbox.load("past", past))


def test_runs_of_one_name_with_other_rows_are_both_kept(tmp_path: Path, past: Path) -> None:
    other = Path(shutil.copytree(past, tmp_path / "b 1"))
    execute(other, "DELETE FROM entries WHERE ordinal >= 18")
    for _ in range(2):
        said = merged(past, other, into=tmp_path / "all")
        assert "past: 36 ok" in said
        assert "past-b-1: 18 ok" in said
    assert said.count(": 36 ok") + said.count(": 18 ok") == 2
    assert len(benchbox.load("past-b-1", tmp_path / "all")) == 18


@pytest.mark.parametrize(("break_it", "said"), [
    (lambda folder: (folder / "store.sqlite").unlink(), "is no workspace, it has no store.sqlite; name the folder"),
    (lambda folder: (folder / "store.sqlite").write_bytes(b"x" * 9000), "is damaged"),
    (lambda folder: execute(folder, "UPDATE encodings SET bytes = 'many' WHERE codec = 'jpeg'"),
     "is damaged .encodings: bytes is 'many'.; run its plan anew"),
    (lambda folder: execute(folder, "UPDATE encodings SET stream_sha256 = '../../x'"), "stream_sha256 is '../../x'"),
    (lambda folder: execute(folder, "UPDATE entries SET label = 'a' || char(27) || '[31m'"), "entries: label is"),
    (lambda folder: execute(folder, "UPDATE entries SET run = '../x'"), "is damaged .entries: run is '../x'."),
    (lambda folder: execute(folder, "UPDATE entries SET ordinal = ordinal + 1000"), "rows of past are not numbered"),
    (lambda folder: execute(folder, "ALTER TABLE encodings DROP COLUMN stream_sha256"),
     "past.store.sqlite: is damaged .there is no column stream_sha256 in the table encodings."),
    (lambda folder: (folder / "past" / "settings.json").unlink(), "settings.json: there is no such record of a run"),
    (lambda folder: execute(folder, "PRAGMA user_version=99"), "was written by a later benchbox"),
])  # fmt: skip
def test_what_is_no_workspace_is_refused(break_it: Any, said: str, tmp_path: Path, past: Path) -> None:
    good = Path(shutil.copytree(past, tmp_path / "good"))
    break_it(past)
    error = merge(past, good, into=tmp_path / "all").exception
    assert isinstance(error, StoreError)
    with pytest.raises(StoreError, match=said):
        raise error
    assert not [path for path in tmp_path.glob("all/*") if path.is_dir()]


def test_what_else_is_named_is_pointed_at(tmp_path: Path, past: Path) -> None:
    for folder, into, said in [
        (GOLDEN / "published-1", tmp_path / "all", "is a published folder, which `benchbox import` takes in"),
        (past / "past", tmp_path / "all", "lies in the workspace .*past; name that"),
        (past, past, "is the workspace that --into names"),
    ]:
        error = merge(folder, into=into).exception
        assert isinstance(error, BenchboxError)
        with pytest.raises((StoreError, UsageError), match=said):
            raise error
    assert not (tmp_path / "all").exists()
