"""`benchbox report` over a store of a million operating points: wall, processor seconds and peak memory.

``python benchmarks/million.py FOLDER`` fills a workspace in FOLDER (new, or made by this script before) with
CODECS x QUALITIES x PICTURES operating points, two metrics and one timing each, as a quality run leaves them. The
values are synthetic, smooth curves with seeded noise; the store, the command and its report are the real ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine, timed_run

from benchbox import registry
from benchbox.plan import Entry
from benchbox.store import Workspace, WritableStore

RUN = "million"
WALL, MEMORY = 60.0, 3.0
"""The aims: seconds of wall time on 2 cores, GiB."""
BATCH = 100_000


def main() -> None:
    """Fill the store if it is missing, run the report on it, and print its wall and processor seconds and its peak."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    for name, value in (("codecs", 20), ("qualities", 20), ("pictures", 2500)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--format", default="page", help="report to make")
    asked = parser.parse_args()
    sizes = asked.codecs, asked.qualities, asked.pictures
    if not (asked.folder / "store.sqlite").exists():
        start = time.perf_counter()
        fill(asked.folder, *sizes)
        print(f"filled the store in {time.perf_counter() - start:.0f} s")
    command = [sys.executable, "-m", "benchbox", "report", RUN, "--workspace", str(asked.folder), "--format",
               asked.format]
    run = timed_run(command, asked.folder / "output.txt", {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"})
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(machine())
    print(f"{' x '.join(map(str, sizes))} = {np.prod(sizes):,} operating points, 2 metrics; report {asked.format}")
    print(f"wall {run.wall:.1f} s, processor {run.cpu:.1f} s, peak {peak:.2f} GiB; others took {run.others:.0%}")
    print(f"aims: wall < {WALL:g} s {'met' if run.wall < WALL else 'MISSED'}, "
          f"peak < {MEMORY:g} GiB {'met' if peak < MEMORY else 'MISSED'}")


def fill(folder: Path, codecs: int, qualities: int, pictures: int) -> None:
    """Fill a workspace with one run of that size."""
    labels = [("jpeg" if c == 0 else f"codec{c}") for c in range(codecs)]
    metrics = [registry.load().metrics[name] for name in ("psnr", "ms-ssim")]
    with WritableStore(Workspace.at(folder)) as store:
        store.register(RUN, (Entry(_key(label, q, s), "invented", f"p{s:05d}.png", label, label, float(q))
                                     for label in labels for q in range(qualities) for s in range(pictures)))
    database = sqlite3.connect(folder / "store.sqlite")
    for rows in _batches(labels, qualities, pictures):
        _insert(database, "encodings", [row[0] for row in rows])
        _insert(database, "timings", [row[1] for row in rows])
        for k, metric in enumerate(metrics):
            _insert(database, "scores", [{"key": row[0]["key"], "metric": metric.id, "version": metric.version,
                                          "value": row[2][k], "reason": ""} for row in rows])
    database.commit()
    database.close()
    (folder / RUN).mkdir()
    settings = {"metrics": [metric.id for metric in metrics], "codecs": {},
                "datasets": {"invented": {"title": "invented", "source": "", "notes": [], "version": ""}}}
    environment = json.dumps({"sessions": []})
    for name, text in (("settings.json", json.dumps(settings)), ("environment.json", environment), ("plan.toml", "")):
        (folder / RUN / name).write_text(text)


def _key(label: str, quality: int, picture: int) -> str:
    return hashlib.sha256(f"{label} {quality} {picture}".encode()).hexdigest()


def _batches(labels: list[str], qualities: int, pictures: int) -> Iterator[list[tuple[dict[str, Any], ...]]]:
    rng = np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []
    for c, label in enumerate(labels):
        for q in range(qualities):
            stop = 5 * q / qualities
            bpp = 2.0 ** (stop - 3) * (1 - 0.01 * c) * (1 + 0.3 * (np.arange(pictures) % 7))
            bpp *= np.exp(rng.normal(0, 0.02, pictures))
            psnr = 24 + 3 * stop + rng.normal(0, 0.05, pictures) + np.arange(pictures) % 5
            for s in range(pictures):
                rows.append(_row(label, q, s, float(bpp[s]), float(psnr[s])))
                if len(rows) == BATCH:
                    yield rows
                    rows = []
    yield rows


def _row(label: str, quality: int, picture: int, bpp: float, psnr: float) -> tuple[Any, ...]:
    key, sample = _key(label, quality, picture), hashlib.sha256(str(picture).encode()).hexdigest()
    encoding = {
        "key": key, "codec": label, "options": '{"optimize":false,"progressive":false,"subsampling":"4:2:0"}',
        "identity": f"benchmark 1 {label} 1.2.3 library 4.5.6", "quality": float(quality), "device": "cpu",
        "sample_sha256": sample, "status": "ok", "reason": "", "width": 768, "height": 512, "channels": 3,
        "bit_depth": 8, "bytes": round(bpp * 768 * 512 / 8), "exact": 0, "stream_sha256": key[::-1],
        "pixels_sha256": key[32:] + key[:32], "attempts": 1, "measured": "2026-01-01T00:00:00+00:00",
    }
    timing = {
        "key": key, "session": "20260101T000000-000000", "repetition": 0, "host": "nowhere", "device": "cpu",
        "threads": 1, "workers": 2, "batch": 1, "protocol": "quality", "encode_s": 0.01, "decode_s": 0.01,
        "encode_cpu_s": 0.01, "decode_cpu_s": 0.01,
    }
    return encoding, timing, (psnr, 1 - 10 ** (-psnr / 20))


def _insert(database: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                             [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main()
