"""`encode` and `decode` never replace the file they read, by whatever name it is given."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchbox import image
from benchbox.cli import encode  # noqa: F401  (adds the commands)
from benchbox.cli.main import commands
from benchbox.errors import BenchboxError, UsageError


def call(*arguments: object) -> str:
    return CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False).output


@pytest.fixture
def names(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names of one picture, ``photo.jpg`` in the current folder, and the folder's others."""
    monkeypatch.chdir(tmp_path)
    image.write_png("photo.png", photo)
    call("encode", "photo.png", "-c", "jpeg", "-o", "photo.jpg")
    Path("sub").mkdir()
    Path("link.jpg").symlink_to("photo.jpg")
    Path("loop").symlink_to(".")
    os.link("photo.jpg", "hard.jpg")
    return {"itself": "photo.jpg", "dot": "./photo.jpg", "absolute": str(tmp_path / "photo.jpg"),
            "up": "sub/../photo.jpg", "link": "link.jpg", "folder link": "loop/photo.jpg", "hard link": "hard.jpg"}


KINDS = ["itself", "dot", "absolute", "up", "link", "folder link", "hard link"]


@pytest.mark.parametrize("command", [["encode", "-c", "jpeg", "-q", "5"], ["decode"], ["decode", "-c", "jpeg"]],
                         ids=" ".join)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_the_source_stays(kind: str, command: list[str], names: dict[str, str]) -> None:
    before = Path("photo.jpg").read_bytes()
    for source, output in (("photo.jpg", names[kind]), (names[kind], "photo.jpg")):
        with pytest.raises(UsageError, match=r"is the file that is read, .*; choose another --output"):
            call(*command, source, "-o", output)
    assert Path("photo.jpg").read_bytes() == before
    assert call(*command, "photo.jpg", "-o", "other.png")


def test_a_copy_of_the_source_is_another_file(names: dict[str, str]) -> None:
    shutil.copy("photo.jpg", "copy.jpg")
    call("encode", "photo.jpg", "-c", "jpeg", "-q", "5", "-o", "copy.jpg")
    assert Path("copy.jpg").stat().st_size < Path("photo.jpg").stat().st_size


@pytest.mark.parametrize("command", [["encode", "-c", "png", "photo.png"], ["decode", "photo.jpg"]], ids=" ".join)
def test_what_fails_leaves_no_file(command: list[str], names: dict[str, str]) -> None:
    before = sorted(Path().iterdir())
    with pytest.raises(BenchboxError, match=r"cannot be written: .*; make its folder or choose"):
        call(*command, "-o", "no/folder/x")
    with pytest.raises(BenchboxError, match=r"cannot be written: Permission denied; see to its permissions or choose"):
        call(*command, "-o", "/sys/x")
    with pytest.raises(BenchboxError, match=r"cannot be written: File name too long; shorten its name or choose"):
        call(*command, "-o", "x" * 300)
    Path("bad.jpg").write_bytes(b"no picture")
    with pytest.raises(BenchboxError):
        call("encode", "bad.jpg", "-c", "png", "-o", "out.png")
    Path("bad.jpg").unlink()
    assert sorted(Path().iterdir()) == before
