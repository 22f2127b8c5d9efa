"""``benchbox list KIND ID`` shows all about one thing; ``list plugins`` shows what each plugin offers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from installed_plugins import Install

from benchbox.cli.main import main

Call = Callable[..., str]

ACME = """
from typing import Literal
from pydantic import Field
from benchbox import Capabilities, CodecInfo, Metric, OptionsModel, QualityAxis, Report, hookimpl
from benchbox.codec import Codec

class Options(OptionsModel):
    speed: int = Field(4, ge=0, le=9, description="0 slow to 9 fast")
    mode: Literal["a", "b"] = "a"
    model: str
    ratio: float | None = Field(None, gt=0)
    dither: bool = False

class Info(CodecInfo):
    def identity(self, options): return f"acme 1 {options.model}"
    def unavailable(self): return "acmelib is not installed; run: pip install acmelib"

class Faulty(CodecInfo):
    def identity(self, options): raise ValueError("no identity")

class Silent(CodecInfo):
    def identity(self, options): return "silent 1"

@hookimpl
def benchbox_codecs():
    return [Info(id="acme", title="Acme", Options=Options, suffix=".acm",
                 quality=QualityAxis("step", (9, 5, 1), minimum=1, maximum=9, integer=True),
                 capabilities=Capabilities(channels=frozenset({3}), pixel_tolerance=2, devices=("cpu", "cuda"))),
            Faulty(id="faulty", title="Faulty", capabilities=None), Silent(id="silent", title="Silent")]
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """What the command line prints, on either stream."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["benchbox", *arguments])
        with pytest.raises(SystemExit):
            main()
        return "".join(capsys.readouterr())

    return run


def facts(text: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w[\w ]*): +(.+)$", text, flags=re.MULTILINE))


def test_all_about_a_codec(install: Install, call: Call) -> None:
    install("acme", ACME)
    text = call("list", "codecs", "acme:model=m")
    assert text.startswith("acme: Acme\n")
    found = facts(text)
    assert found["status"] == "acmelib is not installed; run: pip install acmelib"
    assert found["identity"] == "acme 1 m"
    assert found["quality"] == "step 1 .. 9, whole numbers; by default 9, 5, 1"
    assert found["pictures"] == "RGB; 8 bits; 1 to 65535 pixels a side"
    assert found["promises"] == "deterministic, decoding may differ by 2 levels between devices"
    assert (found["devices"], found["suffix"]) == ("cpu, cuda", ".acm")
    assert re.fullmatch(r"plugin acme of acme 1\.5, .*acme\.py:14", found["from"])
    table = [re.split(r"  +", line) for line in text.split("\n\n")[1].splitlines()]
    assert table == [
        ["option", "type", "default", "bounds", "description"],
        ["speed", "whole number", "4", ">= 0, <= 9", "0 slow to 9 fast"],
        ["mode", "choice", "a", "a, b"],
        ["model", "text", "(required)"],
        ["ratio", "number or none", "None", "> 0"],
        ["dither", "yes or no", "no"],
    ]


def test_a_codec_at_fault_is_shown_as_far_as_it_goes(install: Install, call: Call) -> None:
    install("acme", ACME)
    found = facts(call("list", "codecs", "faulty"))
    assert found["status"] == "available"
    assert found["identity"] == ("at fault: faulty (plugin acme): identity raised ValueError: no identity "
                                 "(acme.py:19)")  # fmt: skip
    assert found["pictures"].startswith("at fault: AttributeError: ")
    needed = facts(call("list", "codecs", "acme"))["identity"]
    assert needed.startswith("at fault: acme: option model: is missing; add it")


@pytest.mark.parametrize(("kind", "name", "expected"), [
    ("metrics", "ms-ssim", {"version": "1", "values": "higher is better, >= 0, <= 1", "column": "ms_ssim"}),
    ("datasets", "samples", {"status": "available", "pictures": "4"}),
    ("datasets", "folder", {"status": "available"}),
    ("reports", "tables", {"made": "when asked: benchbox report RUN --format tables"}),
    ("references", "compressai", {"reads": ".json"}),
    ("plugins", "pillow", {"state": "loaded", "module": "benchbox_pillow"}),
])
def test_all_about_other_things(kind: str, name: str, expected: dict[str, str], call: Call) -> None:
    found = facts(call("list", kind, name))
    assert {key: found[key] for key in expected} == expected
    assert kind == "plugins" or found["from"].startswith("plugin ")


def test_a_published_curve_is_shown_on_each_data_set(call: Call) -> None:
    text = call("list", "references", "av1")
    assert {"av1 on kodak: AV1", "av1 on clic2020-mobile-test: AV1"} <= set(text.splitlines())
    assert text.count("  source:") == text.count("av1 on ") > 1


KINDS = ("codecs", "metrics", "datasets", "reports", "references", "plugins", "runs", "columns")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_one_line(kind: str, call: Call) -> None:
    text = call("list", kind, "qqqq")
    assert text.count("\n") == 1
    assert text.startswith("benchbox: ")
    assert f"benchbox list {kind}" in text


def test_plugins_are_listed_with_what_they_offer(install: Install, call: Call) -> None:
    install("acme", ACME)
    install("empty", "from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): return []\n")
    lines = call("list", "plugins").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("acme "))
    assert lines[at + 1] == "  benchbox_codecs: acme, faulty, silent"
    at = next(number for number, line in enumerate(lines) if line.startswith("empty "))
    assert lines[at + 1] == "  its hooks return empty lists here"
    assert "  benchbox_metrics: psnr, psnr-y, " in "\n".join(lines)
    assert "  acme    Acme\n" in call("list", "plugins", "acme")


def test_a_codec_that_is_neither_lossy_nor_lossless_is_not_called_lossless(
    install: Install, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a default shown as a promise, where a description cannot be read."""
    install("acme", ACME)
    assert facts(call("list", "codecs", "silent"))["quality"] == "at fault: neither a quality axis nor lossless"
    assert re.search(r"^silent +Silent +at fault: neither .*$", call("list", "codecs"), re.MULTILINE)
    (tmp_path / "codec.toml").write_text('id = "mine"\nencode = 5\n')
    monkeypatch.setenv("BENCHBOX_EXEC", str(tmp_path))
    found = facts(call("list", "codecs", "mine"))
    assert found.keys() == {"status", "from"}
    assert "codec.toml: encode: must be a list, got 5" in found["status"]
