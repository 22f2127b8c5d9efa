"""What a codec leaves in its process does not reach the next codec's points: busy threads, settings of libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from installed_plugins import Install
from small_runs import go, plan

from benchbox import image

SOURCE = """
import sys, threading, zlib
import numpy as np
import torch
from benchbox import Capabilities, Codec, CodecInfo, hookimpl

def burn():
    while True: sum(range(1000))

def leave(deed):
    if deed == "busy": threading.Thread(target=burn, daemon=True).start()
    if deed == "errors": np.seterr(all="raise")
    if deed == "numbers": torch.set_default_dtype(torch.float16)
    if deed == "depth": sys.setrecursionlimit(700)

def left():
    return ((threading.active_count() > 1) + 2 * (np.geterr()["over"] == "raise")
            + 4 * (torch.get_default_dtype() is not torch.float32) + 8 * (sys.getrecursionlimit() != 1000))

class One(Codec):
    def __init__(self, name): self.name = name
    def encode(self, image, quality):
        leave(self.name)
        rest = bytes(left() if self.name == "looks" else 0)
        return zlib.compress(b"%d %d %d " % image.shape + image.tobytes()) + rest
    def decode(self, data):
        *shape, pixels = zlib.decompressobj().decompress(data).split(b" ", 3)
        return np.frombuffer(pixels, np.uint8).reshape([int(side) for side in shape]).copy()

class Info(CodecInfo):
    capabilities = Capabilities(lossless=True)
    def open(self, options, device="cpu"): return One(self.id)
    def identity(self, options): return "1"

@hookimpl
def benchbox_codecs():
    return [Info(id=name, title=name) for name in ("busy", "errors", "numbers", "depth", "looks", "plain")]
"""


def test_the_next_codec_finds_its_process_as_it_was(tmp_path: Path, photo: np.ndarray, install: Install) -> None:
    install("acme", SOURCE)
    (tmp_path / "pictures").mkdir()
    image.write_png(tmp_path / "pictures" / "a.png", np.ascontiguousarray(photo[:64, :64]))
    codecs = [{"id": name} for name in ("busy", "errors", "numbers", "depth", "looks", "plain")]
    frame = go(tmp_path, plan(tmp_path / "pictures", *codecs), workers=1).set_index("codec")
    assert set(frame["status"]) == {"ok"}
    taken = dict(frame["bytes"])
    assert taken["looks"] == taken["plain"]
