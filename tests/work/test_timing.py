"""Timed runs: every repeat is stored; points timed while other processes were busy are marked and timed again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
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
