"""Plugins that each break one rule, made from a sound one by replacing a piece of its source."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchbox import testing

SOUND = '''
"""A sound codec."""
import struct
import zlib
import numpy as np
from benchbox import Capabilities, Codec, CodecInfo, OptionsModel, QualityAxis, hookimpl
from benchbox.errors import CorruptBitstream, UnsupportedImageError
TOP = None

class Options(OptionsModel):
    """No options."""

class Info(CodecInfo):
    FACTS = None

    def identity(self, options):
        return "toy 1"

    def axis(self, options):
        return QualityAxis("bits", (1, 3, 5), minimum=1, maximum=8, integer=True)

    def open(self, options, device):
        return Toy()

class Toy(Codec):
    MORE = None

    def encode(self, image, quality):
        START = None
        kept = image >> (8 - int(quality))
        data = b"TOY" + zlib.compress(struct.pack("<4I", int(quality), *image.shape) + kept.tobytes(), 6)
        return data

    def decode(self, data):
        try:
            raw = zlib.decompress(data.removeprefix(b"TOY"))
        except zlib.error as error:
            raise CorruptBitstream(f"toy: {error}") from error
        bits, *shape = struct.unpack_from("<4I", raw)
        kept = np.frombuffer(raw, np.uint8, offset=16).reshape(shape)
        out = (kept * 255.0 / ((1 << bits) - 1)).round().astype(np.uint8)
        return out

@hookimpl
def benchbox_codecs():
    return [Info(id="toy", title="Toy", Options=Options)]
'''

CHECKED = '''
"""A sound codec whose encode is that of CheckedCodec."""
import struct
import zlib
import numpy as np
from benchbox import Codec, CodecInfo, QualityAxis, hookimpl
from benchbox.codec import CheckedCodec
from benchbox.errors import CorruptBitstream
OPEN = []

class Toy(CheckedCodec):
    def compress(self, image, quality):
        bits = int(quality)
        kept = image >> (8 - bits)
        return zlib.compress(bytes([bits]) + struct.pack("<3I", *image.shape) + kept.tobytes(), 6)

    def decode(self, data):
        try:
            raw = zlib.decompress(data)
        except zlib.error as error:
            raise CorruptBitstream(f"toy: {error}") from error
        kept = np.frombuffer(raw, np.uint8, offset=13).reshape(struct.unpack_from("<3I", raw, 1))
        out = (kept * 255.0 / ((1 << raw[0]) - 1)).round().astype(np.uint8)
        return out

class Info(CodecInfo):
    id, title, codec_class = "toy", "Toy", Toy
    quality = QualityAxis("bits", (1, 3, 5), minimum=1, maximum=8, integer=True)
    FACTS = None
    MORE = None

    def identity(self, options):
        return "toy 1"

@hookimpl
def benchbox_codecs():
    return [Info()]
'''


@dataclass(frozen=True)
class Fault:
    """A rule that a plugin breaks: the piece of the sound source to replace, by what, the rule that finds it, words of
    its line, and a piece of the line of the source that it must name ("" for any)."""

    name: str
    old: str
    new: str
    rule: str
    words: str
    source: str = SOUND
    at: str = ""

    def text(self) -> str:
        """The plugin's source."""
        assert self.source.count(self.old) == 1, self.old
        return self.source.replace(self.old, self.new)


Module = Callable[[str], ModuleType]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Imports a source as the plugin module ``faulty``."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    variables = dict(os.environ)

    def imported(source: str) -> ModuleType:
        (tmp_path / "faulty.py").write_text(source)
        importlib.invalidate_caches()
        return importlib.import_module("faulty")

    yield imported
    sys.modules.pop("faulty", None)
    os.environ.clear()
    os.environ.update(variables)


_CHECKS: dict[str, Callable[[Any], list[testing.Check]]] = {
    "benchbox_codecs": testing.codec_checks, "benchbox_metrics": testing.metric_checks,
    "benchbox_datasets": testing.dataset_checks, "benchbox_reports": testing.report_checks,
    "benchbox_references": testing.reference_checks,
}  # fmt: skip


def outcomes(plugin: ModuleType) -> dict[str, testing.Outcome]:
    """Rule -> outcome, of the one object that the plugin offers."""
    (hook,) = (name for name in _CHECKS if hasattr(plugin, name))
    (item,) = getattr(plugin, hook)()
    return {check.name: check.outcome() for check in _CHECKS[hook](item)}


def caught(fault: Fault, plugin: ModuleType) -> None:
    """The kit fails the plugin by the rule of the fault, in one line, once: it names plugin, place and remedy."""
    found = outcomes(plugin)
    failures = {name: outcome.line for name, outcome in found.items() if outcome.verdict == "fail"}
    assert list(failures) == [fault.rule], failures
    line = failures[fault.rule]
    assert fault.words in line
    assert " (plugin faulty): " in line
    assert (f"(faulty.py:{line_of(fault.at, plugin)})" if fault.at else "(faulty.py") in line
    assert ";" in line, "the remedy follows a semicolon"
    assert len(line.splitlines()) == 1



def line_of(piece: str, plugin: ModuleType) -> int:
    """The number of the only line of the plugin's file that holds a piece of text."""
    (number,) = (n for n, line in enumerate(Path(str(plugin.__file__)).read_text().splitlines(), 1) if piece in line)
    return number
