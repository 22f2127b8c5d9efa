"""Runs: resuming, adding, re-scoring; unreadable pictures; plugins that misbehave; processes that are killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from small_runs import go, plan

import benchbox
from benchbox import image

EVIL = '''
"""Codecs that misbehave at quality 2 and are healthy at all others."""
import os, signal, subprocess, sys, time, zlib
import numpy as np
from benchbox import Codec, CodecInfo, QualityAxis, Capabilities, hookimpl

BREED = "import time; held = b'x' * (2 << 30); time.sleep(3600)  # BREED"

class Evil(Codec):
    def __init__(self, deed): self.deed = deed
    def encode(self, image, quality):
        if quality == 2: self.deed(image)
        head = np.array([*image.shape, image.dtype.itemsize], "<u4").tobytes()
        return head + zlib.compress(image.tobytes(), int(quality))
    def decode(self, data):
        *shape, size = np.frombuffer(data[:16], "<u4")
        return np.frombuffer(zlib.decompress(data[16:]), np.uint8 if size == 1 else np.uint16).reshape(shape)

class Info(CodecInfo):
    deeds = {
        "segfault": lambda image: os.kill(os.getpid(), signal.SIGSEGV),
        "sleep": lambda image: time.sleep(3600),
        "eat": lambda image: [np.ones(1 << 27) for _ in range(100)],
        "raise": lambda image: 1 / 0,
        "fine": lambda image: None,
        "ask": lambda image: np.ones(100 << 30, np.uint8),
        "exit": lambda image: os._exit(3),
        "breed": lambda image: subprocess.run([sys.executable, "-c", BREED]),
    }
    def identity(self, options): return "evil 1"
    def axis(self, options): return QualityAxis("level", (1, 2, 3), 1, 9)
    def open(self, options, device): return Evil(self.deeds[self.id])

@hookimpl
def benchbox_codecs():
    takes = Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True)
    return [Info(id=name, title=name, capabilities=takes) for name in Info.deeds]
'''


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin of misbehaving codecs, installed as any third party's: a module and its metadata on the path."""
    site = tmp_path / "site"
    info = site / "evil_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "evil_plugin.py").write_text(EVIL)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[benchbox]\nevil = evil_plugin\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield
    sys.modules.pop("evil_plugin", None)


JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}


def test_rows_hold_what_really_came_back(tmp_path: Path, pictures: Path) -> None:
    frame = go(tmp_path, plan(pictures, JPEG))
    assert len(frame) == 9
    assert set(frame["status"]) == {"ok"}
    for row in _rows(frame):
        data = (tmp_path / "runs" / "streams" / row.stream_sha256[:2] / row.stream_sha256).read_bytes()
        assert row.bytes == len(data)
        assert row.bpp == pytest.approx(8 * len(data) / (row.width * row.height))
    assert frame.groupby("sample", observed=True)["psnr"].apply(lambda v: v.is_monotonic_increasing).all()
    assert (frame["encode_s"] > 0).all()
    assert (frame["decode_s"] > 0).all()


def test_dtypes_are_those_of_the_column_table(tmp_path: Path, pictures: Path) -> None:
    from benchbox.store import COLUMNS

    frame = go(tmp_path, plan(pictures, JPEG, {"id": "png"}))
    assert {c.name: str(frame[c.name].dtype) for c in COLUMNS} == {
        c.name: c.dtype if c.dtype != "string" else str(frame["key"].dtype) for c in COLUMNS
    }
    lossless = frame[frame["codec"] == "png"]
    assert lossless["exact"].all()
    assert lossless["quality"].isna().all()
    assert lossless["psnr"].isna().all()
    assert "psnr" in json.loads(lossless["null_reasons"].iloc[0])


def test_running_again_measures_nothing(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    before = _measured(tmp_path)
    again = go(tmp_path, plan(pictures, JPEG))
    assert _measured(tmp_path) == before
    pd.testing.assert_frame_equal(first, again)


def test_a_new_codec_runs_alone_and_a_new_metric_encodes_nothing(tmp_path: Path, pictures: Path) -> None:
    go(tmp_path, plan(pictures, JPEG))
    before = _measured(tmp_path)
    go(tmp_path, plan(pictures, JPEG, {"id": "webp", "qualities": [50]}))
    after = _measured(tmp_path)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 3
    frame = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "ms-ssim"]))
    assert _measured(tmp_path) == after
    assert frame["ms_ssim"].between(0.5, 1).all()


def test_dropped_streams_are_encoded_anew_for_a_new_metric(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    shutil.rmtree(tmp_path / "runs" / "streams")
    again = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "psnr-y"]))
    assert list(first["stream_sha256"]) == list(again["stream_sha256"])
    assert again["psnr_y"].notna().all()


def test_two_runs_share_what_they_have_in_common(tmp_path: Path, pictures: Path) -> None:
    go(tmp_path, plan(pictures, JPEG))
    before = _measured(tmp_path)
    frame = go(tmp_path, plan(pictures, JPEG | {"label": "mine"}, name="other"))
    assert _measured(tmp_path) == before
    assert set(frame["label"]) == {"mine"}


def test_awkward_files_cost_their_own_rows(tmp_path: Path, odd: Path) -> None:
    codecs = ({"id": "jpeg", "qualities": [50]}, {"id": "png"})
    frame = go(tmp_path, plan(odd, *codecs, dataset=f"folder:{odd}"))
    own = frame[~frame["sample"].str.startswith("pngsuite")].set_index(["sample", "codec"])
    assert own.loc[("cmyk.jpg", "png"), "status"] == "unsupported"
    assert "CMYK" in str(own.loc[("cmyk.jpg", "jpeg"), "reason"])
    for name in ("empty.png", "trunc50.jpg", "text_named.png", "bitflip30.png"):
        assert own.loc[(name, "png"), "status"] == "failed"
        assert name in str(own.loc[(name, "png"), "reason"])
    assert own.loc[("rgba_gradient_alpha.png", "jpeg"), "status"] == "unsupported"
    for name in ("size_1x1.png", "gray8.png", "large_25MP.jpg", "rgba_gradient_alpha.png", "exif_orient6.jpg"):
        assert own.loc[(name, "png"), "status"] == "ok"
        assert own.loc[(name, "png"), "exact"]
    ok = own[own["status"] == "ok"]
    assert ok["bpp"].gt(0).all()


def test_a_picture_that_is_mended_is_measured(tmp_path: Path, pictures: Path) -> None:
    whole = (pictures / "1.png").read_bytes()
    (pictures / "1.png").write_bytes(whole[:500])
    first = go(tmp_path, plan(pictures, JPEG))
    assert dict(first["status"].value_counts()) == {"ok": 6, "failed": 3}
    (pictures / "1.png").write_bytes(whole)
    assert set(go(tmp_path, plan(pictures, JPEG))["status"]) == {"ok"}


def test_alpha_is_scored_over_black_and_white_and_the_worse_counts(tmp_path: Path, photo: np.ndarray) -> None:
    folder = tmp_path / "alpha"
    folder.mkdir()
    ramp = np.broadcast_to(np.linspace(0, 255, photo.shape[1]).astype(np.uint8)[None, :, None], (*photo.shape[:2], 1))
    source = np.ascontiguousarray(np.dstack([photo, ramp]))
    image.write_png(folder / "a.png", source)
    frame = go(tmp_path, plan(folder, {"id": "webp", "qualities": [20]}))
    (row,) = _rows(frame)
    from PIL import Image

    stream = tmp_path / "runs" / "streams" / row.stream_sha256[:2] / row.stream_sha256
    decoded = np.asarray(Image.open(stream))
    worst = []
    for background in (0.0, 255.0):
        sides = [p[..., :3] * (p[..., 3:] / 255) + background * (1 - p[..., 3:] / 255) for p in (source, decoded)]
        worst.append(10 * np.log10(255**2 / np.mean((np.round(sides[0]) - np.round(sides[1])) ** 2)))
    assert row.psnr == pytest.approx(min(worst), abs=0.01)


def test_misbehaving_codecs_cost_the_point_they_were_at(tmp_path: Path, pictures: Path, evil: None) -> None:
    names = ["segfault", "sleep", "eat", "raise", "fine", "ask", "exit", "breed"]
    for extra in ("1.png", "2.png"):
        (pictures / extra).unlink()
    asked = plan(pictures, JPEG, *({"id": n} for n in names), limits={"point_seconds": 8, "memory_mib": 1500})
    frame = go(tmp_path, asked)
    at_two = frame[frame["quality"] == 2].groupby("codec", observed=True)["status"].agg(set)
    assert at_two.to_dict() == {
        "segfault": {"crashed"}, "sleep": {"timeout"}, "eat": {"memory"}, "raise": {"failed"}, "fine": {"ok"},
        "ask": {"memory"}, "exit": {"crashed"}, "breed": {"memory"},
    }  # fmt: skip
    healthy = frame[frame["quality"] != 2]
    assert set(healthy["status"]) == {"ok"}
    reasons = frame[frame["status"] != "ok"].set_index("codec")["reason"].groupby(level=0, observed=True).first()
    assert "SIGSEGV" in reasons["segfault"]
    assert "no end after 8 s" in reasons["sleep"]
    assert "MiB" in reasons["eat"]
    assert "ZeroDivisionError" in reasons["raise"]
    assert "exit status 3" in reasons["exit"]
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any("BREED" in part for command in commands for part in command), "the codec's own process lives on"


def test_failures_are_tried_once_more_and_then_left(tmp_path: Path, pictures: Path, evil: None) -> None:
    for attempts in (1, 2, 2):
        frame = go(tmp_path, plan(pictures, {"id": "raise"}))
        assert dict(frame["status"].value_counts()) == {"ok": 6, "failed": 3}
        with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
            tried = {a for (a,) in db.execute("SELECT attempts FROM encodings WHERE status = 'failed'")}
        assert tried == {attempts}


def test_a_codec_that_only_crashes_is_given_up(tmp_path: Path, evil: None) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(12):
        image.write_png(folder / f"{i}.png", np.full((8, 8, 3), i, np.uint8))
    asked = plan(folder, {"id": "exit", "qualities": [2]}, {"id": "fine", "qualities": [2]})
    frame = go(tmp_path, asked)
    counts = frame.groupby("codec", observed=True)["status"].value_counts().to_dict()
    assert counts[("fine", "ok")] == 12
    assert counts[("exit", "missing")] >= 1
    assert counts[("exit", "crashed")] >= 8


SCRIPT = textwrap.dedent(
    """
    import json, sys
    import benchbox
    plan, workspace = json.loads(sys.argv[1]), sys.argv[2]
    benchbox.run(plan, workspace=workspace, workers=2, reports=[])
    """
)


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def _results(frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    return {row.key: (row.status, row.stream_sha256, row.pixels_sha256, repr(row.psnr)) for row in _rows(frame)}


def _killed_runs(tmp_path: Path, asked: dict[str, Any], times: int, longest: float) -> None:
    """Run in an unguarded script of its own, killed with SIGKILL at random moments, then once to the end."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), json.dumps(asked), str(tmp_path / "killed")]
    chance = random.Random(7)
    for _ in range(times):
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0.1, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    subprocess.run(command, check=True, timeout=300)


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path: Path, pictures: Path) -> None:
    asked = plan(pictures, JPEG, {"id": "webp", "qualities": [20, 80]}, {"id": "png"})
    _killed_runs(tmp_path, asked, times=3, longest=2.5)
    undisturbed = go(tmp_path, asked)
    assert _results(benchbox.load("t", tmp_path / "killed")) == _results(undisturbed)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path, kodak: Path) -> None:
    asked = plan(kodak, {"id": "jpeg"}, {"id": "webp", "qualities": "10:90:20"}, metrics=["psnr", "ms-ssim"])
    _killed_runs(tmp_path, asked, times=20, longest=6)
    undisturbed = go(tmp_path, asked)
    assert _results(benchbox.load("t", tmp_path / "killed")) == _results(undisturbed)
    assert not list((tmp_path / "killed" / "spool").glob("*"))


def test_ctrl_c_stops_in_order(tmp_path: Path, pictures: Path, evil: None) -> None:
    asked = plan(pictures, {"id": "fine"}, {"id": "sleep", "qualities": [2]})
    (tmp_path / "plan.toml").write_text(_toml(asked))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs that ignore it
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, before)
    store = tmp_path / "runs" / "store.sqlite"
    for _ in range(300):
        time.sleep(0.1)
        if store.exists() and len(_measured(tmp_path)) >= 6:  # both workers now come to sleep
            break
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "of 12 points were measured and are kept. Run the same command again to go on" in errors
    assert len(benchbox.load("t", tmp_path / "runs").query("status == 'ok'")) >= 6
    assert "Traceback" not in errors


def test_one_run_at_a_time(tmp_path: Path, pictures: Path) -> None:
    from benchbox.errors import StoreError
    from benchbox.store import Workspace

    with Workspace.at(tmp_path / "runs").lock(), pytest.raises(StoreError, match="another run is at work"):
        go(tmp_path, plan(pictures, JPEG))


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_pictures(tmp_path: Path, photo: np.ndarray) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    base = np.tile(photo, (7, 7, 1))[:1224, :1632].copy()  # 2 MP
    for i in range(2000):
        base[0, :8, 0] = np.frombuffer(np.int64(i).tobytes(), np.uint8)  # every picture is another one
        if i < 40:
            image.write_png(folder / f"{i:04}.png", base)
        else:
            _write_jpeg(folder / f"{i:04}.jpg", base, i)
    asked = plan(folder, {"id": "jpeg", "qualities": [30]}, metrics=["psnr"])
    (tmp_path / "plan.toml").write_text(_toml(asked))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report", "--workers", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    peaks = _watch_memory(process, tmp_path)
    assert process.returncode == 0
    early, late = peaks[100], peaks[2000]
    assert late <= 1.10 * early, f"{early / 1e6:.0f} MB after 100 pictures, {late / 1e6:.0f} MB after 2000"


def _watch_memory(process: subprocess.Popen[bytes], tmp_path: Path) -> dict[int, int]:
    """Peak memory of the whole process tree by the time 100 and 2,000 pictures were measured."""
    peak = 0
    peaks: dict[int, int] = {}
    tree = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, sum(p.memory_info().rss for p in [tree, *tree.children(recursive=True)]))
        except psutil.Error:
            continue
        count = len(_measured(tmp_path)) if (tmp_path / "runs" / "store.sqlite").exists() else 0
        if count >= 100:
            peaks.setdefault(100, peak)
        time.sleep(0.1)
    peaks[2000] = peak
    return peaks


def _write_jpeg(path: Path, pixels: np.ndarray, seed: int) -> None:
    from PIL import Image

    Image.fromarray(np.roll(pixels, seed, axis=1)).save(path, quality=90)


def _measured(tmp_path: Path) -> dict[str, str]:
    """key -> time of measurement of every encoding in the store."""
    with sqlite3.connect(f"file:{tmp_path}/runs/store.sqlite?mode=ro", uri=True) as db:
        try:
            return dict(db.execute("SELECT key, measured || attempts FROM encodings WHERE status = 'ok'"))
        except sqlite3.OperationalError:  # the tables are being made
            return {}


def _toml(asked: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(asked)


def test_a_hanging_codec_does_not_outlive_a_killed_run(tmp_path: Path, pictures: Path, evil: None) -> None:
    import psutil

    (tmp_path / "plan.toml").write_text(_toml(plan(pictures, {"id": "sleep", "qualities": [2]})))
    command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    spool = tmp_path / "runs" / "spool"
    for _ in range(300):
        time.sleep(0.1)
        begun = [json.loads(line) for path in spool.glob("*.jsonl") for line in path.read_text().splitlines()]
        if begun:
            break
    workers = [psutil.Process(event["pid"]) for event in begun]
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert workers
    assert not alive
