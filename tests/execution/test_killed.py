"""A worker that somebody else kills costs nothing: what it was at is measured again, once, and nobody is blamed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from small_runs import go, measured, plan

from benchbox import image

SOURCE = """
def once(deed):
    try: open(os.path.join(FOLDER, deed), "x").close()
    except FileExistsError: return
    os.kill(os.getppid() if deed == "guard" else os.getpid(), signal.SIGKILL)
    time.sleep(60)

class Killed(Sound):
    def encode(self, image, quality):
        if quality == 2: once("encode")
        if quality == 3: once("guard")
        return pack(image)

class Scored(Plain):
    def prepare(self, reference):
        class Killed(Value):
            def score(self, image):
                once("score")
                return super().score(image)
        return Killed(reference)

CODECS["killed"] = Killed
SCORERS["killed"] = Scored
SCORERS["after"] = Plain
"""


def test_what_a_killed_worker_was_at_is_measured_again(third: Callable[[str], None], tmp_path: Path) -> None:
    for name in ("p", "deeds"):
        (tmp_path / name).mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    third(f"FOLDER = {str(tmp_path / 'deeds')!r}\n{SOURCE}")
    asked = plan(tmp_path / "p", {"id": "killed", "qualities": [1, 2, 3]}, metrics=["killed", "after"])
    rows = go(tmp_path, asked, workers=1)
    assert sorted(path.name for path in (tmp_path / "deeds").iterdir()) == ["encode", "guard", "score"]
    assert [(row.status, row.reason) for row in rows.itertuples()] == [("ok", "")] * 3
    assert rows[["killed", "after"]].notna().to_numpy().all()
    before = measured(tmp_path)
    go(tmp_path, asked, workers=1)
    assert measured(tmp_path) == before
