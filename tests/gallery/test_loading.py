"""A plugin at fault when it is loaded costs itself, in one line that names place and remedy; the others load."""

from __future__ import annotations

import re

import pytest
from gallery import SOUND
from installed_plugins import Install

from benchbox import registry

HOOK, MADE = "@hookimpl\ndef benchbox_codecs():", 'return [Info(id="toy", title="Toy", Options=Options)]'
TOP, IDENTITY = "TOP = None", '    def identity(self, options):\n        return "toy 1"'
METRIC = """
from benchbox import Display, Metric, hookimpl
class M(Metric):
    def open(self, device): raise NotImplementedError
@hookimpl
def benchbox_metrics(): return [M("ms_ssim", "Mine", "1", "", "higher", Display("Mine"))]
"""

FAULTS = {
    "exception": (TOP, "raise RuntimeError('broken')", "RuntimeError: broken; mend it, or remove the plugin"),
    "library missing": (TOP, "import heavy_library", "No module named 'heavy_library'; install it, or import it in"),
    "sys.exit": (TOP, "import sys; sys.exit(3)", "SystemExit: 3; an import must not end the program"),
    "os._exit": (TOP, "import os; os._exit(3)", "SystemExit: os._exit(3); an import must not end the program"),
    "wrong module": (TOP, "from benchbox import CorruptBitstream", "; import it from benchbox.errors"),
    "class in the list": (MADE, "return [Info]", "gave the class Info; it must give instances of CodecInfo, as Info("),
    "no hookimpl": (HOOK, "def benchbox_codecs():", "is not called, since it is not marked; write @hookimpl above it"),
    "hook misspelt": (HOOK, "@hookimpl\ndef benchbox_codec():", "unknown hook 'benchbox_codec'; did you mean"),
    "misspelt, bare": (HOOK, "def benchbox_codec():", "is no hook, so it is not called; did you mean 'benchbox_codecs"),
    "one object": (MADE, 'return Info(id="toy", title="Toy")', "gave a Info; it must give a list"),
    "None": (MADE, "return None", "gave a NoneType; it must give a list"),
    "id with a space": (MADE, 'return [Info(id="a b", title="T")]', "'a b', which no plan can name; use lower-case"),
    "id with a colon": (MADE, 'return [Info(id="a:b@c", title="T")]', "'a:b@c', which no plan can name; use lower-"),
    "id is None": (MADE, 'return [Info(id=None, title="T")]', "gives the id None, which no plan can name; use lower-"),
    "id of another": (MADE, 'return [Info(id="jpeg", title="T")]', "'jpeg' is offered by pillow of benchbox and by"),
    "no identity": (IDENTITY, "", "class Info has no method 'identity'; write `def identity(self, options)`"),
    "identity misnamed": (IDENTITY, IDENTITY.replace("identity", "idenity"), "; rename its method 'idenity' to 'iden"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_codec_is_refused(name: str, install: Install) -> None:
    old, new, words = FAULTS[name]
    assert SOUND.count(old) == 1
    assert words in refused(SOUND.replace(old, new), install)


def test_a_metric_whose_column_is_another_ones_is_refused(install: Install) -> None:
    assert "differ by - and _ only; 'ms_ssim' is left out, rename it" in refused(METRIC, install)
    assert "ms_ssim" not in registry.load().metrics


def refused(source: str, install: Install) -> str:
    """Why the plugin ``acme`` of that source is not in use, with the place; all other plugins are as they were."""
    usual = registry.load()
    install("acme", source)
    found = registry.load()
    assert [plugin for plugin in found.plugins if plugin.name != "acme"] == list(usual.plugins)
    assert {*usual.codecs} == {*found.codecs}
    assert {*usual.metrics} == {*found.metrics}
    (line,) = [plugin.failure or "" for plugin in found.plugins if plugin.name == "acme"]
    assert len(line.splitlines()) == 1
    assert re.search(r" \(acme\.py:\d+\)$", line)
    return line
