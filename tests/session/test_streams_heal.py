"""A kept stream that is damaged is encoded again, never stops a run, and never costs another point."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_runs import go, measured, plan
from stored import stored_results, write_reports

import benchbox
from benchbox import registry
from benchbox.fork_server import ForkServer
from benchbox.plan import resolve, settle
from benchbox.session import Silent, execute, local_executor
from benchbox.store import Streams, Workspace, WritableStore

JPEG = {"id": "jpeg", "qualities": [30, 60, 90]}


def damage(workspace: Path, row: pd.Series, data: bytes) -> Path:
    """Replace a row's kept stream by `data`."""
    sha256 = str(row["stream_sha256"])
    path = workspace / "streams" / sha256[:2] / sha256
    path.write_bytes(data)
    return path


def retry(tmp_path: Path, asked: dict[str, Any]) -> None:
    """Run a plan as ``--retry`` does."""
    plugins, place = registry.load(), Workspace.at(tmp_path / "runs")
    resolved = resolve(settle(asked)[0], plugins, tmp_path)
    with ForkServer() as server:
        execute(resolved, plugins, place, local_executor(resolved.plan, place, 2, server), Silent(), retry=True)


MORE = {"metrics": ["psnr", "psnr-y"]}


@pytest.mark.parametrize(("data", "written", "more"), [
    (b"", 0, {}), (b"\xff\xd8 cut", 0, MORE), (None, 0, MORE), (None, 600, {}),
], ids=["empty, same plan", "cut, new metric", "zeros on the disk, new metric", "zeros written"])  # fmt: skip
def test_a_run_writes_damaged_streams_again(
    data: bytes | None, written: float, more: dict[str, Any], tmp_path: Path, pictures: Path
) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    before = measured(tmp_path)
    unseen = data is None and not written
    data = bytes(first["bytes"][4]) if data is None else data
    path = damage(tmp_path / "runs", first.iloc[4], data)
    when = time.time() + written if written else 0
    os.utime(path, (when, when))
    again = go(tmp_path, plan(pictures, JPEG, **more))
    pd.testing.assert_frame_equal(again[["key", "bytes", "psnr"]], first[["key", "bytes", "psnr"]])
    assert (again["status"] == "ok").all()
    assert path.read_bytes() != data
    anew = {key for key, value in measured(tmp_path).items() if before[key] != value}
    assert anew == (set() if unseen else {first["key"][4]}), "one that is read is put right without being measured"
    if more:
        assert again["psnr_y"].notna().all()


@pytest.mark.parametrize("said", [1, None])
def test_a_row_that_says_another_size_than_its_stream_has_is_measured_anew(
    said: int | None, tmp_path: Path, pictures: Path
) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    with closing(sqlite3.connect(tmp_path / "runs" / "store.sqlite")) as db:
        db.execute("UPDATE encodings SET bytes = ? WHERE key = ?", (said, first["key"][4]))
        db.commit()
    again = go(tmp_path, plan(pictures, JPEG))
    pd.testing.assert_frame_equal(again[["key", "bytes", "bpp", "psnr"]], first[["key", "bytes", "bpp", "psnr"]])


def test_a_matched_run_goes_on(tmp_path: Path, pictures: Path) -> None:
    asked = plan(pictures, {"id": "jpeg"}, match=["bpp=1"])
    first = go(tmp_path, asked)
    path = damage(tmp_path / "runs", first.iloc[0], b"")
    pd.testing.assert_series_equal(go(tmp_path, asked)["bytes"], first["bytes"])
    assert path.stat().st_size == first["bytes"][0]


@pytest.mark.slow  # a quarter of a minute
def test_a_report_shows_the_other_pictures_and_retry_heals(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    damage(tmp_path / "runs", first.iloc[4], b"")
    known = registry.load()
    options = {"bpp": str(first["bpp"][4]), "pictures": "3"}

    def warned() -> bool:
        results = stored_results("t", tmp_path / "runs", known)
        page, *shots = write_reports(results, known, ["visual"], tmp_path / "out", options)
        assert len(shots) >= 6
        return "is damaged; run the plan again with --retry" in page.read_text(encoding="utf-8")

    assert warned()
    retry(tmp_path, plan(pictures, JPEG))
    assert not warned()
    damage(tmp_path / "runs", first.iloc[4], bytes(first["bytes"][4]))
    assert warned()
    retry(tmp_path, plan(pictures, JPEG))
    assert not warned()


def test_other_bytes_lose_the_scores_of_the_old_ones(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "psnr-y"]))
    place = Workspace.at(tmp_path / "runs")
    with WritableStore(place) as store:  # as if another build of the library had written the stream
        other = Streams(place.streams.folder).put(b"other bytes")
        store._db.execute("UPDATE encodings SET stream_sha256 = ? WHERE key = ?", (other, first["key"][0]))
        store._db.commit()
    damage(tmp_path / "runs", pd.Series({"stream_sha256": other}), b"")
    retry(tmp_path, plan(pictures, JPEG, metrics=["psnr"]))
    frame = benchbox.load("t", tmp_path / "runs")
    assert frame["stream_sha256"][0] == first["stream_sha256"][0]
    frame = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "psnr-y"]))
    pd.testing.assert_series_equal(frame["psnr_y"], first["psnr_y"])


def test_what_is_gone_comes_back_with_retry(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    path = damage(tmp_path / "runs", first.iloc[4], b"")
    path.unlink()
    go(tmp_path, plan(pictures, JPEG))
    assert not path.exists()
    retry(tmp_path, plan(pictures, JPEG))
    assert path.stat().st_size == first["bytes"][4]


OTHER_BYTES = """
class Drifts(Sound):
    def encode(self, image, quality):
        return np.array([*image.shape], "<u4").tobytes() + zlib.compress(image.tobytes(), LEVEL())

def LEVEL(): return 9 if os.path.exists(DRIFTED) else 0
CODECS["drifts"] = Drifts
SCORERS.update({"one": Plain, "two": Plain})
"""


def test_a_codec_that_gives_other_bytes_is_measured_anew(
    tmp_path: Path, pictures: Path, third: Callable[[str], None]
) -> None:
    third(f"DRIFTED = {str(tmp_path / 'drifted')!r}\n{OTHER_BYTES}")
    asked = plan(pictures, {"id": "drifts", "qualities": [1]}, metrics=["one"])
    first = go(tmp_path, asked)
    damage(tmp_path / "runs", first.iloc[1], bytes(first["bytes"][1]))
    (tmp_path / "drifted").touch()
    again = go(tmp_path, asked | {"metrics": ["one", "two"]})
    assert set(again["status"]) == {"ok"}
    assert (again["bytes"] < first["bytes"]).tolist() == [False, True, False]
    assert again[["one", "two"]].notna().all().all()
