"""A codec in versions: the environment variable MINE says how many percent of padding it appends to each stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MINE = '''
"""Keeps the upper bits of every sample and deflates them; appends MINE percent of zeros."""
import os, struct, zlib
import numpy as np
from benchbox import Codec, CodecInfo, QualityAxis, hookimpl

class Info(CodecInfo):
    def identity(self, options): return f"mine {os.environ['MINE']}"
    def axis(self, options): return QualityAxis("bits", (1, 2, 3, 4, 5, 6), minimum=1, maximum=8, integer=True)
    def open(self, options, device): return Mine()

class Mine(Codec):
    def encode(self, image, quality):
        kept = image >> (8 - int(quality))
        data = zlib.compress(struct.pack("<4I", int(quality), *image.shape) + kept.tobytes(), 9)
        return data + bytes(len(data) * int(os.environ["MINE"]) // 100)
    def decode(self, data):
        raw = zlib.decompressobj().decompress(data)
        bits, *shape = struct.unpack_from("<4I", raw)
        kept = np.frombuffer(raw, np.uint8, offset=16).reshape(shape)
        return (kept * 255.0 / ((1 << bits) - 1)).round().astype(np.uint8)

@hookimpl
def benchbox_codecs(): return [Info(id="mine", title="Mine")]
'''


def one_version(padding: int) -> str:
    """The source of the version with `padding` percent, whose identity says nothing of it, as authors forget to."""
    plain = MINE.replace("""f"mine {os.environ['MINE']}\"""", '"mine"').replace('os.environ["MINE"]', f'"{padding}"')
    assert "environ" not in plain
    return plain


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Install the codec as any third party's; call the fixture with the percent of padding of the version to use."""
    info = tmp_path / "site" / "mine_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "mine_plugin.py").write_text(MINE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[benchbox]\nmine = mine_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=":")

    def version(padding: int) -> None:
        monkeypatch.setenv("MINE", str(padding))

    version(10)
    yield version
    sys.modules.pop("mine_plugin", None)
