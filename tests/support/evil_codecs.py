"""A plugin of codecs that misbehave at quality 2, installed as a third party's is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EVIL = '''
"""Codecs that misbehave at quality 2 and are healthy at all others."""
import os, signal, subprocess, sys, time, zlib
import numpy as np
from benchbox import Codec, CodecInfo, QualityAxis, Capabilities, hookimpl

BREED = "import time; held = b'x' * (2 << 30); time.sleep(3600)  # BREED"

class Evil(Codec):
    def __init__(self, deed): self.deed = deed
    def encode(self, image, quality):
        if quality == 2: self.deed(image)
        head = np.array([*image.shape, image.dtype.itemsize], "<u4").tobytes()
        return head + zlib.compress(image.tobytes(), int(quality))
    def decode(self, data):
        *shape, size = np.frombuffer(data[:16], "<u4")
        return np.frombuffer(zlib.decompress(data[16:]), np.uint8 if size == 1 else np.uint16).reshape(shape)

class Info(CodecInfo):
    deeds = {
        "segfault": lambda image: os.kill(os.getpid(), signal.SIGSEGV),
        "sleep": lambda image: time.sleep(3600),
        "eat": lambda image: [np.ones(1 << 27) for _ in range(100)],
        "raise": lambda image: 1 / 0,
        "fine": lambda image: None,
        "ask": lambda image: np.ones(100 << 30, np.uint8),
        "exit": lambda image: os._exit(3),
        "breed": lambda image: subprocess.run([sys.executable, "-c", BREED]),
    }
    def identity(self, options): return "evil 1"
    def axis(self, options): return QualityAxis("level", (1, 2, 3), 1, 9)
    def open(self, options, device): return Evil(self.deeds[self.id])

@hookimpl
def benchbox_codecs():
    takes = Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True)
    return [Info(id=name, title=name, capabilities=takes) for name in Info.deeds]
'''


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin of misbehaving codecs, installed as any third party's: a module and its metadata on the path."""
    site = tmp_path / "site"
    info = site / "evil_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "evil_plugin.py").write_text(EVIL)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[benchbox]\nevil = evil_plugin\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield
    sys.modules.pop("evil_plugin", None)
