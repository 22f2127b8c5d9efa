"""Plugins are loaded through their entry points; a broken one costs only itself and says why."""

from __future__ import annotations

import pytest
from installed_plugins import Install

from benchbox import registry

CODEC_SOURCE = """
from benchbox import CodecInfo, hookimpl

class Info(CodecInfo):
    def identity(self, options): return "acme 1"
    def axis(self, options): return None
    def open(self, options, device): raise NotImplementedError

@hookimpl
def benchbox_codecs():
    return [Info(id="{id}", title="Acme")]
"""


def failure(found: registry.Registry, name: str) -> str:
    reasons = [plugin.failure for plugin in found.plugins if plugin.name == name]
    assert len(reasons) == 1
    assert reasons[0] is not None
    assert "\n" not in reasons[0]
    return reasons[0]


def test_a_third_partys_plugin_is_found(install: Install) -> None:
    install("acme-codec", CODEC_SOURCE.format(id="acme"), entry="acme")
    found = registry.load()
    assert found.codec("acme").title == "Acme"
    plugin = next(plugin for plugin in found.plugins if plugin.name == "acme")
    assert (plugin.module, plugin.distribution, plugin.version) == ("acme_codec", "acme-codec", "1.5")
    assert plugin.failure is None


@pytest.mark.parametrize(("source", "reason"), [
    ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    ("raise RuntimeError('two\\nlines')", "RuntimeError: two"),
    ("import sys\nsys.exit(3)", "SystemExit: 3"),
    ("def f(:", "SyntaxError: "),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codec(): return []", "unknown hook 'benchbox_codec'"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(config): return []", "hook 'benchbox_codecs'"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): raise OSError('disk')",
     "benchbox_codecs raised OSError: disk"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): return 3",
     "benchbox_codecs gave a int; it must give a list"),
], ids=["import", "error", "exit", "syntax", "misspelt-hook", "wrong-signature", "hook-raises", "hook-gives-3"])
def test_a_broken_plugin_costs_only_itself(source: str, reason: str, install: Install) -> None:
    usual = registry.load()
    install("aaa-broken", source)
    install("zzz-sound", CODEC_SOURCE.format(id="zzz"))
    found = registry.load()
    assert reason in failure(found, "aaa-broken")
    assert set(found.codecs) == {*usual.codecs, "zzz"}
    assert set(found.metrics) == set(usual.metrics)
    assert [plugin.name for plugin in found.plugins if plugin.failure] == ["aaa-broken"]


def test_a_hook_that_fails_keeps_the_plugins_other_hooks(install: Install) -> None:
    install("half", CODEC_SOURCE.format(id="half") + "\n@hookimpl\ndef benchbox_metrics(): raise OSError('disk')\n")
    found = registry.load()
    assert failure(found, "half") == "benchbox_metrics raised OSError: disk (half.py:14)"
    assert "half" in found.codecs


def test_of_one_id_from_two_plugins_the_second_is_left_out(install: Install) -> None:
    install("acme-codec", CODEC_SOURCE.format(id="acme"))
    install("other-codec", CODEC_SOURCE.format(id="acme"))
    found = registry.load()
    assert type(found.codec("acme")).__module__ == "acme_codec"
    assert failure(found, "other-codec") == ("'acme' is offered by acme-codec of acme-codec and by other-codec of "
                                             "other-codec, whose one is left out; rename or remove one of them "
                                             "(other_codec.py:4)")
    assert not [plugin for plugin in found.plugins if plugin.name == "acme-codec" and plugin.failure]


def test_an_id_of_ours_stays_ours_whatever_the_names(install: Install) -> None:
    usual = registry.load()
    install("aaa-codec", CODEC_SOURCE.format(id="jpeg") + "\n\nOTHER = Info(id='aaa', title='Aaa')\n"
            "@hookimpl\ndef benchbox_codecs(): return [Info(id='jpeg', title='Not JPEG'), OTHER]\n")
    found = registry.load()
    assert found.codec("jpeg").title == usual.codec("jpeg").title
    assert found.codec("aaa").title == "Aaa"
    assert "'jpeg' is offered by pillow of benchbox and by aaa-codec of aaa-codec" in failure(found, "aaa-codec")
    assert {*found.codecs} == {*usual.codecs, "aaa"}


def test_one_name_in_two_distributions(install: Install) -> None:
    install("first", CODEC_SOURCE.format(id="one"), entry="acme", module="acme_a")
    install("second", CODEC_SOURCE.format(id="two"), entry="acme", module="acme_b")
    found = registry.load()
    assert "one" in found.codecs
    assert "two" not in found.codecs
    loser = next(plugin for plugin in found.plugins if plugin.module == "acme_b")
    assert loser.failure == "a plugin of this name is loaded from first; rename the entry point of one of them"


def test_one_distribution_seen_twice_is_one_plugin(install: Install) -> None:
    install("first", CODEC_SOURCE.format(id="one"), entry="acme", module="acme_a")
    install("first-again", "", entry="acme", module="acme_a")
    names = [plugin.name for plugin in registry.load().plugins]
    assert names.count("acme") == 1
