"""A codec that is neither lossless nor has a quality axis is refused before anything is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_runs import go, plan

from benchbox import image
from benchbox.errors import PluginError

SOURCE = """
class Neither(Info):
    def axis(self, options): return None

@hookimpl
def benchbox_codecs(): return [Neither(id="neither", title="Neither")]
CODECS["neither"] = Sound
"""


def test_neither_lossless_nor_an_axis(tmp_path: Path, third: Callable[[str], None]) -> None:
    third(SOURCE)
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(PluginError, match=r"neither \(plugin third_plugin\): a codec has either cap"):
        go(tmp_path, plan(tmp_path / "p", {"id": "neither"}))
