"""After a codec changed, a run says what became of its points, also where their bytes are not what changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_runs import Said, plan

import benchbox
from benchbox import registry
from benchbox.cli import compare
from benchbox.cli.group import commands
from benchbox.cli.quick import verdicts
from benchbox.store import Store, Workspace

assert compare  # it adds itself to `commands`

PLUGIN = """
import zlib
import numpy as np
from benchbox import Codec, CodecInfo, OptionsModel, QualityAxis, hookimpl

class Options(OptionsModel):
    kind: str = "plain"

class Info(CodecInfo):
    def identity(self, options): return "mine 1"
    def axis(self, options): return QualityAxis("bits", (1, 2, 3, 4, 5, 6), minimum=1, maximum=8, integer=True)
    def open(self, options, device): return Mine(options.kind)

class Mine(Codec):
    def __init__(self, kind): self.kind = kind
    def encode(self, image, quality):
        if self.kind == "fails" and quality > 2: raise ValueError("fails now")
        head = bytes([int(quality)]) + np.array(image.shape, ">u2").tobytes()
        stream = head + zlib.compress((image >> (8 - int(quality))).tobytes())
        return stream + b"longer" * (self.kind == "longer" and quality > 2)
    def decode(self, data):
        shape = np.frombuffer(data[1:7], ">u2")
        kept = np.frombuffer(zlib.decompressobj().decompress(data[7:]), np.uint8).reshape(shape)
        return (kept << (8 - data[0])) + np.uint8(self.kind == "brighter")

@hookimpl
def benchbox_codecs(): return [Info(id="mine", title="Mine", Options=Options)]
"""

FIRST = [1, 2, 4]
CASES: dict[str, tuple[str, list[int], str, str]] = {
    "bytes": ("longer", FIRST, "3 of 9 points have other bytes than in t~1", "3 of 9 points changed their bytes"),
    "pixels": ("brighter", FIRST, "9 of 9 points have the bytes of t~1 and decode to other pixels",
               "9 of 9 points kept their bytes and decode to other pixels"),
    "failures": ("fails", FIRST, "3 points went through in t~1 and fail now", "3 points went through before and fail"),
    "other": ("longer", [3, 5], "no point can be compared, t~1 has none of such a picture and quality",
              "9 points of before and 6 of after have no partner"),
    "some other": ("longer", [1, 2, 5], "3 points cannot be compared, t~1 has none of such a picture and quality",
                   "3 points of before and 3 of after have no partner"),
}  # fmt: skip
"""label -> what the codec becomes, its qualities then, what the run says, and what `compare` says"""

Go = Callable[..., list[str]]


@pytest.fixture
def go(tmp_path: Path, pictures: Path) -> Go:
    """Run codecs, given as label, kind and qualities; returns what the run says."""
    (tmp_path / "mine.py").write_text(PLUGIN)

    def run(*codecs: tuple[str, str, list[int]]) -> list[str]:
        said = Said()
        rows: list[dict[str, Any]] = [{"id": "mine", "label": label, "options": {"kind": kind}, "qualities": qualities}
                                      for label, kind, qualities in codecs]  # fmt: skip
        asked = plan(pictures, *rows, plugins=[str(tmp_path / "mine.py")])
        benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=[], progress=said)
        return said.lines

    return run


def looks(tmp_path: Path) -> list[str]:
    """What ``run --quick`` says of the run."""
    with Store(Workspace.at(tmp_path / "runs")) as store:
        return verdicts(store, "t", [registry.load().metric("psnr")])


def compared(tmp_path: Path, *options: str) -> str:
    asked = ["compare", "t~1", "t", "--workspace", str(tmp_path / "runs"), "--plugin", str(tmp_path / "mine.py")]
    return CliRunner().invoke(commands, [*asked, *options], catch_exceptions=False).output


def test_what_became_of_the_points_is_said(tmp_path: Path, go: Go) -> None:
    go(*((label, "plain", FIRST) for label in CASES))
    said = go(*((label, kind, qualities) for label, (kind, qualities, _, _) in CASES.items()))
    assert "what t was stays as t~1" in said
    for label, (_, _, line, _) in CASES.items():
        assert f"{label}: {line}" in said
    assert "failures, folder:pictures: 3 points went through in t~1 and fail now" in looks(tmp_path)
    text = compared(tmp_path)
    for label, (_, _, _, line) in CASES.items():
        assert f"{label}, folder:pictures: {line}" in text
    found = json.loads(compared(tmp_path, "--json", "--fail-above", "0"))
    assert [change["verdict"] for codec in found["codecs"] for change in codec["metrics"]] == ["undecided"] * len(CASES)
    assert found["gate"]["code"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "qualities", "words"), [("longer", [1, 2], "has other bytes than in"),
                                                          ("fails", [3], "can be compared with")])  # fmt: skip
def test_that_nothing_changed_is_said_where_something_was_compared(
    kind: str, qualities: list[int], words: str, tmp_path: Path, go: Go
) -> None:
    asked = ("mine", kind, qualities)
    go(("mine", "plain", [1, 2]))
    said = go(asked)
    assert f"no point {words} t~1" in said
    assert (f"no point {words} t~1 so far" in looks(tmp_path)) == (kind == "longer")
    assert ("passed" in compared(tmp_path, "--fail-above", "0")) == (kind == "longer")
