"""A small run to torture: its pictures, its plan, the command that runs it, and what became of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchbox.image import write_png

CODECS = (("jpeg", (10, 30, 50, 70, 90)), ("webp", (10, 50, 90)), ("jpegxl", (1, 4)), ("png", ()))


@dataclasses.dataclass(frozen=True)
class Kept:
    """What a workspace holds of the run: by key the digests of stream and pixels, exactness and size, and every score;
    and the streams that are not what their name says, or missing."""

    encodings: dict[str, tuple[object, ...]]
    scores: dict[tuple[str, str, str], tuple[object, ...]]
    bad_streams: list[str]


@dataclasses.dataclass(frozen=True)
class Run:
    """A plan in `folder`, and how to run it into a workspace there."""

    folder: Path
    workers: int = 2

    @classmethod
    def make(cls, folder: Path, pictures: int = 4, metrics: Sequence[str] = ("psnr", "ms-ssim")) -> Run:
        """Write pictures and plan into `folder`."""
        (folder / "pictures").mkdir(parents=True)
        chance = np.random.default_rng(5)
        for number in range(pictures):
            height, width = (int(side) for side in chance.integers(180, 260, 2))
            y, x = np.mgrid[:height, :width]
            planes = [128 + 90 * np.sin(x / (5 + number)) * np.cos(y / 9), 128 + 80 * np.cos(x / 17 + y / (4 + number)),
                      (x * 2 + y * number) % 256]  # fmt: skip
            noisy = np.stack(planes, 2) + chance.normal(0, 6, (height, width, 3))
            write_png(folder / "pictures" / f"{number}.png", noisy.clip(0, 255).astype(np.uint8))
        lines = ['name = "k"', 'dataset = "folder:pictures"', f"metrics = {list(metrics)}"]
        for codec, qualities in CODECS:
            lines += ["[[codec]]", f'id = "{codec}"', *([f"qualities = {list(qualities)}"] if qualities else [])]
        (folder / "plan.toml").write_text("\n".join(lines) + "\n")
        return cls(folder)

    def command(self, workspace: Path) -> list[str]:
        """The command line that runs it into `workspace`."""
        return [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report", "--workers", str(self.workers),
                "--workspace", str(workspace)]  # fmt: skip

    def finish(self, workspace: Path) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(self.command(workspace), cwd=self.folder, capture_output=True, text=True, timeout=300)


def measured_now(output: str) -> int:
    """How many points a run says that it measured."""
    found = re.search(r"\((\d+) measured now", output)
    return int(found[1]) if found else -1


def kept(workspace: Path) -> Kept:
    """What the database and the streams of `workspace` hold; nothing if there is no database."""
    database = workspace / "store.sqlite"
    if not database.exists():
        return Kept({}, {}, [])
    with sqlite3.connect(database) as db:
        try:
            columns = "key, status, bytes, exact, stream_sha256, pixels_sha256"
            encodings = {row[0]: row[1:] for row in db.execute(f"SELECT {columns} FROM encodings WHERE status = 'ok'")}
            scores = {row[:3]: row[3:] for row in db.execute("SELECT key, metric, version, value, reason FROM scores")}
        except sqlite3.OperationalError:  # the tables are being made
            return Kept({}, {}, [])
    db.close()
    return Kept(encodings, scores, [sha for *_, sha, _ in encodings.values() if not _is_sound(workspace, str(sha))])


def _is_sound(workspace: Path, sha256: str) -> bool:
    path = workspace / "streams" / sha256[:2] / sha256
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def spooled(workspace: Path) -> set[str]:
    """Keys of the points that are finished in the spool of a run that was killed."""
    keys = set()
    for path in (workspace / "spool").glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            event = json.loads(line)
            if event["event"] == "point" and event.get("status") == "ok" and not event.get("goes_on"):
                keys.add(event["key"])
    return keys


