"""A hook that is misspelt, unmarked or absent is named when the plugin loads, with its place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed_plugins import Install

from benchbox import registry

HEAD = """from benchbox import CodecInfo, hookimpl

class Info(CodecInfo):
    def identity(self, options): return "acme 1"

"""
CODEC = "@hookimpl\ndef benchbox_codecs(): return [Info(id='acme', title='Acme')]\n\n"
NOTHING = ("it implements no hook, so it offers nothing; write a function benchbox_codecs or benchbox_metrics "
           "(or one of 4 others), marked with @hookimpl")


def failure(install: Install, source: str) -> str | None:
    install("acme", HEAD + source)
    found = registry.load()
    (reason,) = [plugin.failure for plugin in found.plugins if plugin.name == "acme"]
    assert ("acme" in found.codecs) is (CODEC in source)
    return reason


@pytest.mark.parametrize(("source", "reason"), [
    ("@hookimpl\ndef benchbox_codec(): return []",
     "unknown hook 'benchbox_codec'; did you mean 'benchbox_codecs'? (acme.py:6)"),
    ("@hookimpl\ndef metric(): return []", "unknown hook 'metric'; did you mean 'benchbox_metrics'? (acme.py:6)"),
    ("@hookimpl\ndef benchbox_zzz(): return []",
     "unknown hook 'benchbox_zzz'; the hooks are benchbox_codecs, benchbox_metrics, benchbox_datasets, "
     "benchbox_reports, benchbox_references, benchbox_commands (acme.py:6)"),
    ("@hookimpl(specname='benchbox_codex')\ndef mine(): return []",
     "unknown hook 'benchbox_codex'; did you mean 'benchbox_codecs'? (acme.py:6)"),
    ("def benchbox_dataset(): return []",
     "'benchbox_dataset' is no hook, so it is not called; did you mean 'benchbox_datasets'? (acme.py:6)"),
    ("def benchbox_metrics(): return []",
     "benchbox_metrics is not called, since it is not marked; write @hookimpl above it (from benchbox import hookimpl) "
     "(acme.py:6)"),
    ("@hookimpl\ndef benchbox_reports(config): return []",
     "hook 'benchbox_reports' takes no arguments; write it as `def benchbox_reports():` (acme.py:6)"),
    ("", NOTHING),
    ("def benchbox_helper(): return 3", NOTHING),
], ids=["misspelt", "no-prefix", "far-off", "specname", "misspelt-bare", "unmarked", "arguments", "nothing", "helper"])
def test_a_function_that_is_never_called_is_named(source: str, reason: str, install: Install) -> None:
    assert failure(install, source) == reason


@pytest.mark.parametrize("source", [
    "def benchbox_helper(): return 3",
    "def benchbox_codec(): return 3",  # near to a hook, which is there
    "import benchbox_metrics\nfrom benchbox_metrics.psnr import BLOCK as benchbox_metric",
    "class benchbox_metric: pass",
    "@hookimpl\ndef benchbox_metrics(unit='dB'): return []",
])
def test_other_functions_are_no_fault(source: str, install: Install) -> None:
    assert failure(install, CODEC + source) is None


def test_a_misspelt_hook_costs_no_other_hook(install: Install) -> None:
    reason = failure(install, CODEC + "def benchbox_metric(): return []")
    assert reason == "'benchbox_metric' is no hook, so it is not called; did you mean 'benchbox_metrics'? (acme.py:9)"


def test_a_hook_by_another_name_is_called(install: Install) -> None:
    install("acme", HEAD + CODEC.replace("@hookimpl", "@hookimpl(specname='benchbox_codecs')")
            .replace("def benchbox_codecs", "def mine"))
    assert "acme" in registry.load().codecs


def test_a_folder_in_place_of_the_module_is_named(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m benchbox`` looks into the current folder first."""
    install("acme", HEAD + CODEC)
    (tmp_path / "acme" / "acme.py").unlink()
    (tmp_path / "here" / "acme").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "here"))
    (reason,) = [plugin.failure for plugin in registry.load().plugins if plugin.name == "acme"]
    assert reason == (f"only a folder of that name was found, {tmp_path / 'here' / 'acme'}; start benchbox in another "
                      "folder, or as `benchbox` and not as `python -m benchbox`")
