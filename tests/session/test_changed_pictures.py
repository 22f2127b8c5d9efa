"""A picture that changes during a run or between runs is measured anew; no result is that of another picture."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from small_runs import go, plan, rows_of

import benchbox
from benchbox import FileSample, image
from benchbox.session import Silent

JPEG: dict[str, Any] = {"id": "jpeg", "qualities": [50]}
WEBP: dict[str, Any] = {"id": "webp", "qualities": [50]}
LONG_AGO = (1e9, 1e9)


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A folder of one BMP: all of one shape have one size."""
    folder = tmp_path / "one"
    folder.mkdir()
    put(folder, 1)
    return folder


def put(folder: Path, kind: int) -> None:
    """Replace the picture by another of the same size in bytes and the same time of modification."""
    y, x = np.mgrid[0:96, 0:96]
    PillowImage.fromarray(np.stack([x * kind % 256, y * kind % 256, (x + y) % 256], 2).astype("uint8")).save(
        folder / "new", "BMP")
    os.replace(folder / "new", folder / "a.bmp")
    os.utime(folder / "a.bmp", LONG_AGO)


def write_over(folder: Path, kind: int) -> None:
    """The same in place, so that the inode stays."""
    put(folder / "..", kind)
    with (folder / "a.bmp").open("r+b") as file:
        file.write((folder / ".." / "a.bmp").read_bytes())
    os.utime(folder / "a.bmp", LONG_AGO)


def run(tmp_path: Path, folder: Path, *codecs: dict[str, Any], **more: Any) -> list[Any]:
    """(status, bytes, PSNR) of a run over the folder, whose picture must be the one that is there now."""
    frame = benchbox.run(plan(folder, *codecs), reports=[], workers=1, workspace=tmp_path / "runs", **more)
    assert set(frame["sample_sha256"]) == {image.digest(image.read(folder / "a.bmp").pixels)}
    return frame[["status", "bytes", "psnr"]].astype(object).to_numpy().tolist()


def test_replaced_between_runs(tmp_path: Path, one: Path) -> None:
    first = run(tmp_path, one, JPEG)
    put(one, 9)
    second = run(tmp_path, one, JPEG, WEBP)
    assert [row[0] for row in second] == ["ok", "ok"]
    assert second[0] != first[0]
    write_over(one, 1)
    assert run(tmp_path, one, JPEG) == first


@pytest.mark.parametrize("more", [{}, pytest.param({"match": ["bpp=0.5"]}, marks=pytest.mark.slow)])
def test_a_digest_that_is_stale_for_any_reason(more: dict[str, Any], tmp_path: Path, one: Path) -> None:
    """What the stamp cannot tell, the worker does, and the run is listed anew within the same command."""
    asked = plan(one, JPEG, **more)
    go(tmp_path, asked, 1)
    make_stale(tmp_path, one)
    frame = go(tmp_path, asked | {"codec": [WEBP]}, 1)
    assert set(frame["status"]) == {"ok"}
    assert set(frame["sample_sha256"]) == {image.digest(image.read(one / "a.bmp").pixels)}
    with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
        assert db.execute("SELECT COUNT(*) FROM encodings WHERE status != 'ok'").fetchone() == (0,)


def rested(sample: FileSample) -> str:
    """The sample's stamp, which it has once the clock tick of its last change is over."""
    while (stamp := sample.stamp()) is None:
        time.sleep(0.1)
    return stamp


def make_stale(tmp_path: Path, folder: Path) -> None:
    """Enter a wrong digest under the very stamp that the picture has."""
    path = folder / "a.bmp"
    stamp = rested(FileSample("a.bmp", path))
    with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
        db.execute("INSERT OR REPLACE INTO digests (stamp, sha256) VALUES (?, ?)", (stamp, "0" * 64))


class Meddling(Silent):
    """Alters the folder at the moment when its pictures were read and nothing is measured yet."""

    def __init__(self, meddle: Callable[[], None], times: int = 1) -> None:
        self.left = times
        self.meddle = meddle
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)
        if "points to measure" in message and self.left:
            self.left -= 1
            self.meddle()


def test_replaced_while_the_run_goes_on(tmp_path: Path, one: Path) -> None:
    meddling = Meddling(lambda: put(one, 7))
    assert run(tmp_path, one, JPEG, progress=meddling)[0][0] == "ok"
    assert any("a.bmp: the picture has changed" in line for line in meddling.said)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"BM no picture"), lambda path: path.unlink()])
def test_spoilt_or_removed_while_the_run_goes_on(spoil: Callable[[Path], Any], tmp_path: Path, one: Path) -> None:
    """The row says what is wrong with the file now; the old picture, once it is back, is measured as ever."""
    frame = benchbox.run(plan(one, JPEG), workspace=tmp_path / "runs", reports=[], workers=1,
                         progress=Meddling(lambda: spoil(one / "a.bmp")))  # fmt: skip
    (row,) = rows_of(frame)
    assert row.status == "failed"
    assert "a.bmp" in row.reason
    assert "unreadable" in row.sample_sha256
    put(one, 1)
    assert run(tmp_path, one, JPEG)[0][0] == "ok"


@pytest.mark.slow
def test_a_picture_that_never_rests_ends_as_failed(tmp_path: Path, one: Path) -> None:
    kinds = iter(range(20, 40))
    frame = benchbox.run(plan(one, JPEG), workspace=tmp_path / "runs", reports=[], workers=1,
                         progress=Meddling(lambda: put(one, next(kinds)), times=9))  # fmt: skip
    assert set(frame["status"]) <= {"failed", "missing"}
    assert run(tmp_path, one, JPEG)[0][0] == "ok"


def test_the_stamp_tells_a_change_in_place(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size, time of modification and inode stay; the time of the change alone tells."""
    monkeypatch.setattr("benchbox.dataset._CLOCK_TICK", -1)  # as if each change were long ago
    sample = FileSample("a.bmp", one / "a.bmp")
    before, inode = sample.stamp(), (one / "a.bmp").stat().st_ino
    time.sleep(0.05)  # the file system's own tick
    write_over(one, 5)
    assert (one / "a.bmp").stat().st_ino == inode
    assert sample.stamp() != before


def test_the_stamp_tells_what_cp_and_unzip_keep(one: Path) -> None:
    sample = FileSample("a.bmp", one / "a.bmp")
    before = rested(sample)
    put(one, 5)
    assert sample.stamp() is None  # its clock tick is not over
    assert rested(sample) != before
    (one / "a.bmp").unlink()
    assert sample.stamp() is None
