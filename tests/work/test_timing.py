"""Timed runs: every repeat is stored; points timed while other processes were busy are marked and timed again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from small_runs import go, plan


def test_timing_keeps_every_repeat_and_is_not_satisfied_by_a_quality_run(tmp_path: Path, pictures: Path) -> None:
    codecs = ({"id": "jpeg", "qualities": [20, 80]}, {"id": "png"})
    quality = go(tmp_path, plan(pictures, *codecs))
    assert set(quality["timing"]) == {"indicative"}
    assert quality["encode_spread_s"].isna().all()
    frame = go(tmp_path, plan(pictures, *codecs, timing={"repeats": 4}))
    assert set(frame["timing"]) <= {"timed", "disturbed"}
    assert frame["peak_bytes"].between(1e7, 1e9).all()
    assert (frame["encode_spread_s"] >= 0).all()
    with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
        raw = db.execute("SELECT key, COUNT(*), MIN(encode_s) FROM timings WHERE protocol='timing' GROUP BY key")
        rows = raw.fetchall()
        workers = {w for (w,) in db.execute("SELECT workers FROM timings WHERE protocol = 'timing'")}
    assert len(rows) == len(frame)
    assert all(count >= 4 and seconds > 0 for _, count, seconds in rows)
    assert workers == {1}
    assert list(frame["stream_sha256"]) == list(quality["stream_sha256"])


def test_timing_beside_other_work_is_refused_and_taken_again(tmp_path: Path, pictures: Path) -> None:
    from benchbox.plan import DISTURBED

    asked = plan(pictures, {"id": "png"}, timing={"repeats": 3})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        frame = go(tmp_path, asked)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert set(frame["timing"]) == {"disturbed"}
    with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
        assert db.execute("SELECT MIN(others) FROM timings WHERE protocol = 'timing'").fetchone()[0] > DISTURBED
        before = db.execute("SELECT COUNT(*) FROM timings").fetchone()[0]
    go(tmp_path, asked)
    with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
        assert db.execute("SELECT COUNT(*) FROM timings").fetchone()[0] > before


FLOATING = """
class Drifts(Sound):
    share = 0.0
    def encode(self, image, quality):
        data = pack(image)
        return data + bytes(int(self.share * len(data)) if os.path.exists(DRIFTED) else 0)
    def decode(self, data):
        shape = np.frombuffer(data[:12], "<u4")
        return np.frombuffer(zlib.decompressobj().decompress(data[12:]), np.uint8).reshape(shape)

class Batches(Sound):
    def encode_batch(self, images, quality): return None

class Fails(Sound):
    def encode(self, image, quality):
        if os.path.exists(DRIFTED): raise ValueError("when timed")
        return pack(image)

CODECS.update({name: type(name, (Drifts,), {"share": share}) for name, share in SHARES.items()})
CODECS.update({"batches": Batches, "fails": Fails})

@hookimpl
def benchbox_codecs():
    tolerant = {"within": 0.02, "beyond": 0.02}
    return [Info(id=name, title=name, capabilities=Capabilities(size_tolerance=tolerant.get(name, 0.0),
            deterministic=name != "free")) for name in CODECS]
"""


def test_timing_on_another_kind_of_machine_takes_streams_within_what_the_codec_declares(
    tmp_path: Path, pictures: Path, third: Callable[[str], None]
) -> None:
    for extra in ("1.png", "2.png"):
        (pictures / extra).unlink()
    shares = {"within": 0.01, "beyond": 0.05, "exact": 0.01, "free": 0.01}
    third(f"DRIFTED, SHARES = {str(tmp_path / 'drifted')!r}, {shares!r}\n{FLOATING}")
    codecs = [{"id": name, "qualities": [1]} for name in (*shares, "fails")]
    before = go(tmp_path, plan(pictures, *codecs))
    assert set(before["status"]) == {"ok"}
    (tmp_path / "drifted").touch()
    after = go(tmp_path, plan(pictures, *codecs, timing={"repeats": 2}))
    assert set(after["status"]) == {"ok"}
    timed = after[after["timing"] != "indicative"]["codec"]
    assert set(timed) == {"within", "free"}
    assert list(after["stream_sha256"]) == list(before["stream_sha256"])
