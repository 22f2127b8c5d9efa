"""The page says which codecs of the plan were left out, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from small_runs import plan

import benchbox
from benchbox import image

SOURCE = """
def unavailable(self, options=None): return "its library is absent; pip install it"

Info.unavailable = unavailable
CODECS["absent"] = Sound
"""


def test_the_page_names_what_was_left_out(tmp_path: Path, third: Callable[[str], None]) -> None:
    third(SOURCE)
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (32, 40, 3)).astype(np.uint8))
    absent = {"id": "absent", "qualities": [1], "optional": True}
    asked = plan(tmp_path / "p", {"id": "jpeg", "qualities": [10, 50]}, absent)
    benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=["page"])
    (page,) = (tmp_path / "runs").glob("*/report/index.html")
    said = "absent was to be measured and is left out: its library is absent; pip install it."
    assert said in page.read_text(encoding="utf-8")
