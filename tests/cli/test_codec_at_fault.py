"""``benchbox encode`` and ``decode`` with a codec at fault: one line that names codec, plugin, method and place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from installed_plugins import Install
from plugin_files import TOY

from benchbox import image, registry
from benchbox.cli import one_picture
from benchbox.errors import BenchboxError
from benchbox.plugin_file import plugin_files

SOURCE = """
from dataclasses import dataclass
import sys
from benchbox import Codec, CodecInfo, QualityAxis, hookimpl

class Faulty(Codec):
    def encode(self, image, quality):
        {encode}
    def decode(self, data):
        {decode}
    def close(self):
        {close}

class Info(CodecInfo):
    def identity(self, options): return "faulty 1"
    def axis(self, options): return QualityAxis("q", (1, 2), 0, 9)
    def open(self, options, device):
        {open}

@hookimpl
def benchbox_codecs(): return [Info(id="faulty", title="Faulty", suffix=".faulty")]
"""
SOUND = {"encode": "return b'x'", "decode": "import numpy; return numpy.zeros((4, 4, 3), 'u1')", "close": "pass",
         "open": "return Faulty()"}  # fmt: skip


@pytest.mark.parametrize(("declared", "name"), [("", "a.toy"), ("", "a.TOY"), (".Up", "a.up"), (".Up", "a.Up")])
def test_a_stream_is_decoded_by_its_suffix_or_the_codecs_id(declared: str, name: str, tmp_path: Path) -> None:
    source = TOY.replace('title="Toy (zlib)"', f'title="Toy", suffix="{declared}"')
    (tmp_path / "mycodec.py").write_text(source, encoding="utf-8")
    plugins = registry.load(files=plugin_files([tmp_path / "mycodec.py"]))
    pixels = np.full((5, 4, 3), 255, np.uint8)
    image.write_png(tmp_path / "a.png", pixels)
    one_picture.encode(tmp_path / "a.png", "toy", None, tmp_path / name, "cpu", plugins)
    one_picture.decode(tmp_path / name, None, tmp_path / "b.png", "cpu", plugins)
    assert np.array_equal(image.read(tmp_path / "b.png").pixels, pixels)
    with pytest.raises(BenchboxError, match=r"no codec writes '\.other' files; name it with -c .* with --plugin"):
        one_picture.decode(tmp_path / "a.other", None, tmp_path / "b.png", "cpu", plugins)


def test_a_suffix_that_several_write_is_decoded_by_one_that_is_available(tmp_path: Path) -> None:
    """Of the codecs of one suffix, one whose library is not installed is passed over; alone, it says what it lacks."""
    for name, absent in (("absent", True), ("present", False)):
        source = TOY.replace('"toy"', f'"{name}"').replace('title="Toy (zlib)"', 'title="Toy", suffix=".zl"')
        missing = "\n    def unavailable(self): return 'libzl is not installed; install it'"
        source = source.replace("(CodecInfo):", f"(CodecInfo):{missing if absent else ''}")
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    both, one = (registry.load(files=plugin_files([tmp_path / f"{name}.py" for name in names]))
                 for names in (("absent", "present"), ("absent",)))
    pixels = np.full((5, 4, 3), 255, np.uint8)
    image.write_png(tmp_path / "a.png", pixels)
    one_picture.encode(tmp_path / "a.png", "present", None, tmp_path / "a.zl", "cpu", both)
    one_picture.decode(tmp_path / "a.zl", None, tmp_path / "b.png", "cpu", both)
    assert np.array_equal(image.read(tmp_path / "b.png").pixels, pixels)
    with pytest.raises(BenchboxError, match="libzl is not installed"):
        one_picture.decode(tmp_path / "a.zl", None, tmp_path / "b.png", "cpu", one)


@pytest.mark.parametrize(("change", "words"), [
    ({"encode": "1 / 0"}, "faulty (plugin acme): encode raised ZeroDivisionError: division by zero (acme.py:8)"),
    ({"encode": "sys.exit(3)"}, "faulty (plugin acme): encode raised SystemExit: 3 (acme.py:8)"),
    ({"encode": "return None"}, "encode must return non-empty bytes, got NoneType; return bytes(...) (acme.py:7)"),
    ({"encode": "return b''"}, "encode must return non-empty bytes, got 0 bytes; return bytes(...) (acme.py:7)"),
    ({"decode": "return data[99]"}, "faulty (plugin acme): decode raised IndexError: index out of range (acme.py:10)"),
    ({"decode": "return None"}, "(H, W, C), got NoneType; return a uint8 or uint16 array (H, W, C) (acme.py:9)"),
    ({"open": "raise RuntimeError('no\\nGPU')"}, "open raised RuntimeError: no GPU (acme.py:18)"),
    ({"close": "1 / 0"}, ""),
])  # fmt: skip
def test_it_is_named_in_one_line(change: dict[str, str], words: str, install: Install, tmp_path: Path) -> None:
    install("acme", SOURCE.format(**SOUND | change))
    picture, stream, decoded = tmp_path / "a.png", tmp_path / "a.faulty", tmp_path / "b.png"
    image.write_png(picture, np.zeros((4, 4, 3), np.uint8))

    def there_and_back() -> None:
        one_picture.encode(picture, "faulty", None, stream, "cpu", registry.load())
        one_picture.decode(stream, None, decoded, "cpu", registry.load())

    if not words:
        there_and_back()
        assert decoded.is_file()
        return
    with pytest.raises(BenchboxError) as caught:
        there_and_back()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not decoded.exists()
    assert stream.exists() == ("decode" in change)
