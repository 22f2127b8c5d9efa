"""A worker whose private folder is removed from outside, by who empties /tmp, is replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from small_runs import go, plan

from benchbox import image

SOURCE = """
import shutil, tempfile

class Removing(Plain):
    def prepare(self, reference):
        class Removed(Value):
            def score(self, image):
                try: open(DEED, "x").close()
                except FileExistsError: return super().score(image)
                shutil.rmtree(tempfile.gettempdir())
                return super().score(image)
        return Removed(reference)

class Writing(Plain):
    def prepare(self, reference):
        class Written(Value):
            def score(self, image):
                with tempfile.NamedTemporaryFile(): return super().score(image)
        return Written(reference)

CODECS["calm"] = Sound
SCORERS["removing"] = Removing
SCORERS["writing"] = Writing
"""


def test_later_points_are_scored_by_another_worker(third: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    third(f"DEED = {str(tmp_path / 'deed')!r}\n{SOURCE}")
    asked = plan(tmp_path / "p", {"id": "calm", "qualities": [1, 2, 3]}, metrics=["removing", "writing"])
    rows = go(tmp_path, asked, workers=1).sort_values("quality")
    assert rows["status"].tolist() == ["ok"] * 3
    assert rows["removing"].notna().all()
    assert rows["writing"].notna().tolist() == [False, True, True]  # the first was at it when the folder went
