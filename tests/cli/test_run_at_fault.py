"""A run says of each codec at fault what ``benchbox check`` says: method, place and remedy, and names that command."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchbox import image
from benchbox.cli.main import main

SOURCE = """
import tempfile
from benchbox import CodecInfo, OptionsModel, QualityAxis, hookimpl
from benchbox.codec import CheckedCodec
from benchbox.errors import UnsupportedImageError

class Base(CheckedCodec):
    def decode(self, data):
        return data
class Misnamed(Base):
    def compres(self, image, quality): return b"x"
class Array(Base):
    def compress(self, image, quality): return image
class Listed(Base):
    def compress(self, image, quality): return b"x"
    def decode(self, data): return [1]
class Paths(Base):
    def compress(self, image, quality): return open(tempfile.mkdtemp() + "/none/x").read()
class Few(Base):
    def compress(self, image): return b"x"
class Refuses(Base):
    def compress(self, image, quality): raise UnsupportedImageError("too small")

class Options(OptionsModel):
    speed: int = 1

class Info(CodecInfo):
    Options, quality = Options, QualityAxis("q", (1, 2), 0, 9)
    def identity(self, options): return "faulty 1"

@hookimpl
def benchbox_codecs():
    return [Info(id=kind.__name__.lower(), title=kind.__name__, codec_class=kind) for kind in Base.__subclasses__()]
"""

SAID = {
    "misnamed": "class Misnamed has no method 'compress'; rename its method 'compres' to 'compress' (atfault.py:11)",
    "array": "encode must return non-empty bytes, got ndarray; return bytes(...) (atfault.py:13)",
    "listed": "expected a numpy array (H, W, C), got list; return a uint8 or uint16 array (H, W, C) (atfault.py:16)",
    "paths": "encode raised FileNotFoundError: ",
    "few": "encode raised TypeError: Few.compress() takes 2 positional arguments but 3 were given (atfault.py:20)",
}


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines below a run's counts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atfault.py").write_text(SOURCE)
    (tmp_path / "pictures").mkdir()
    for name in "ab":
        image.write_png(tmp_path / "pictures" / f"{name}.png", np.full((9, 7, 3), ord(name), np.uint8))
    codecs = [word for name in (*SAID, "refuses", "jpeg") for word in ("--codec", name)]
    codecs[codecs.index("array")] = "array:speed=2"
    monkeypatch.setattr(sys, "argv", ["benchbox", "run", "--plugin", "atfault.py", "--dataset", "folder:pictures",
                        *codecs, "--metric", "psnr", "--workers", "1", "--no-report"])  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    return [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  ")]


def test_each_fault_is_one_line_with_its_place_and_the_command_to_run(said: list[str]) -> None:
    for name, words in SAID.items():
        label = "array speed=2" if name == "array" else name
        (line,) = (line for line in said if line.startswith(f"failed: {label}, 4 points: {name} (plugin atfault): "))
        assert words in line
        assert line.endswith(")")
        given = name + ":speed=2" * (name == "array")
        hint = f"{label}: `benchbox check {given} --plugin atfault.py` says what is wrong with it, rule by rule"
        assert said.count(hint) == 1
    (refused,) = (line for line in said if line.startswith("unsupported: refuses"))
    assert "too small" in refused
    assert len(said) == 2 * len(SAID) + 1
