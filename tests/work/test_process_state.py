"""What a codec changes of its process or of Pillow, and the files that it leaves open, cost nobody else a point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage
from PIL import ImageFile
from small_runs import go, plan

from benchbox import image
from benchbox.errors import CorruptImageError

SOURCE = """
class Pillow(Sound):
    def encode(self, image, quality):
        import PIL.Image
        import PIL.ImageFile
        PIL.Image.MAX_IMAGE_PIXELS = 1
        PIL.ImageFile.LOAD_TRUNCATED_IMAGES = True
        return pack(image)

class Files(Sound):
    def encode(self, image, quality):
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        return pack(image)

CODECS.update({"pillow": Pillow, "files": Files})
"""


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("state")
    (folder / "p").mkdir()
    for name in "ab":
        pixels = np.random.default_rng(ord(name)).integers(0, 255, (32, 40, 3)).astype(np.uint8)
        image.write_png(folder / "p" / f"{name}.png", pixels)
    third(SOURCE)
    codecs = [{"id": "pillow", "qualities": [1]}, {"id": "files", "qualities": [1]}, {"id": "jpeg", "qualities": [50]}]
    return go(folder, plan(folder / "p", *codecs, metrics=["psnr"]), workers=1)


@pytest.mark.parametrize(("codec", "status"), [("pillow", "ok"), ("files", "failed"), ("jpeg", "ok")])
def test_others_are_measured(codec: str, status: str, frame: pd.DataFrame) -> None:
    rows = frame[frame["codec"] == codec]
    assert rows["status"].tolist() == [status, status]
    if codec == "files":
        assert rows["reason"].str.contains("encode leaves no file to open for anybody else").all()


def test_a_cut_picture_is_damaged_whatever_a_plugin_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    PillowImage.fromarray(pixels).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 1)
    assert image.read(tmp_path / "a.jpg").pixels.shape == (64, 64, 3)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptImageError, match="truncated"):
        image.read(tmp_path / "a.jpg")
