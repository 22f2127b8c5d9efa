"""The reader's notes on pictures (profile, gamma, orientation) reach the record, the page and the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchbox_datasets.describe import describe
from click.testing import CliRunner
from PIL import Image as PillowImage
from PIL import ImageCms
from small_runs import plan

import benchbox
from benchbox.cli import main  # noqa: F401  (its imports add the commands)
from benchbox.cli.main import commands
from benchbox.session import Silent

PROFILE = "ICC profile other than sRGB, not converted: 4 pictures (a0.png, a1.png, a2.png ...)"
TURNED = "EXIF orientation 6 applied: 1 picture (turned.png)"
ASKED = {"id": "jpeg", "qualities": [40, 50, 60, 70]}


@pytest.fixture
def noted(pictures: Path) -> Path:
    """A folder of three plain pictures, four with a profile and one turned."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = PillowImage.Exif()
    exif[0x112] = 6
    with PillowImage.open(pictures / "0.png") as picture:
        for number in range(4):
            picture.save(pictures / f"a{number}.png", icc_profile=srgb.replace(b"s\0R\0G\0B", b"A\0d\0o\0b"))
        picture.save(pictures / "turned.png", exif=exif)
    return pictures


class Hearing(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.mark.parametrize("kind", ["folder", "manifest"])
def test_notes_reach_record_page_and_terminal(kind: str, tmp_path: Path, noted: Path) -> None:
    """By the first run and by one that knows all digests; also where a manifest promises them."""
    name = f"folder:{noted}"
    if kind == "manifest":
        (noted / "manifest.toml").write_text(describe(noted), encoding="utf-8")
        name = f"manifest:{noted / 'manifest.toml'}"
    for reports in ([], ["page"]):
        hearing = Hearing()
        benchbox.run(plan(noted, ASKED, dataset=name), workspace=tmp_path / "runs", reports=reports, progress=hearing)
        assert f"{name}: {PROFILE}" in hearing.said
        assert f"{name}: {TURNED}" in hearing.said
        settings = json.loads((tmp_path / "runs" / "t" / "settings.json").read_text(encoding="utf-8"))
        about = settings["datasets"][name]["pictures"]
        assert about["turned.png"] == ["EXIF orientation 6 applied"]
        assert sorted(about) == ["a0.png", "a1.png", "a2.png", "a3.png", "turned.png"]
    page = (tmp_path / "runs" / "t" / "report" / "index.html").read_text(encoding="utf-8")
    assert PROFILE in page
    assert TURNED in page


def test_encode_says_them(tmp_path: Path, noted: Path) -> None:
    output = str(tmp_path / "a.jpg")
    result = CliRunner().invoke(commands, ["encode", str(noted / "a1.png"), "-c", "jpeg", "-o", output])
    assert result.exit_code == 0
    assert "a1.png: ICC profile other than sRGB, not converted" in result.output
