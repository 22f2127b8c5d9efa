"""Third-party plugins written in a test, installed so that the test's process and its workers find them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

HEAD = """
import ctypes, os, signal, subprocess, sys, threading, time, zlib
import numpy as np
from benchbox import Capabilities, Codec, CodecInfo, Display, Metric, Prepared, QualityAxis, Scorer, hookimpl

def pack(image):
    return np.array([*image.shape], "<u4").tobytes() + zlib.compress(image.tobytes(), 1)

def unpack(data):
    return np.frombuffer(zlib.decompress(data[12:]), np.uint8).reshape(np.frombuffer(data[:12], "<u4"))

def force(pixels, value):
    if isinstance(pixels, bytes):  # past its header; numpy's and bytes' own protection does not hold
        ctypes.memset(id(pixels) + bytes.__basicsize__ - 1, value, len(pixels))
    else:
        ctypes.memset(pixels.ctypes.data, value, pixels.nbytes)

class Sound(Codec):
    def encode(self, image, quality): return pack(image)
    def decode(self, data): return unpack(data)

class Info(CodecInfo):
    codec_class = None
    def identity(self, options): return "third 1"
    def axis(self, options): return QualityAxis("q", (1, 2), 0, 9)
    def open(self, options, device): return CODECS[self.id]()

class Value(Prepared):
    def __init__(self, reference): self.reference = reference
    def score(self, image): return float(np.abs(self.reference.astype(float) - image).mean())

class Plain(Scorer):
    def prepare(self, reference): return Value(reference)

class Scale(Metric):
    def open(self, device): return SCORERS[self.id]()

CODECS, SCORERS = {}, {}

@hookimpl
def benchbox_codecs():
    return [Info(id=name, title=name, capabilities=Capabilities(channels=frozenset({1, 3, 4}))) for name in CODECS]

@hookimpl
def benchbox_metrics():
    return [Scale(name, name, "1", "", "lower", Display(name), lowest=0.0) for name in SCORERS]
"""

Third = Callable[[str], None]


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Third]:
    """``third(source)`` installs a plugin: `HEAD`, then `source`, which fills ``CODECS`` and ``SCORERS``."""
    patch = pytest.MonkeyPatch()
    site = tmp_path_factory.mktemp("site")

    def put(source: str) -> None:
        info = site / "third_plugin-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "third_plugin.py").write_text(HEAD + source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-plugin\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[benchbox]\nthird = third_plugin\n")
        patch.syspath_prepend(str(site))

    yield put
    patch.undo()
    sys.modules.pop("third_plugin", None)
