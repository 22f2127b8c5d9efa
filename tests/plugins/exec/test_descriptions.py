"""Descriptions of command-line codecs: where they are found, what is wrong with a bad one, what the identity holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from benchbox_exec.spec import parse
from exec_codecs import LOSSLESS, LOSSY, SCRIPT, describe, found, opened
from hypothesis import given
from hypothesis import strategies as st

from benchbox import registry
from benchbox.errors import CodecUnavailableError, PluginError


def test_identity_knows_program_script_and_description(folder: Path) -> None:
    first = describe(folder, LOSSLESS)["squeeze"]
    before = first.identity(None)
    assert f"Python {sys.version.split()[0]}" in before
    assert "squeeze.py sha256:" in before
    assert describe(folder, "# a comment\n" + LOSSLESS + LOSSY)["squeeze"].identity(None) == before
    assert describe(folder, LOSSLESS.replace('".z"', '".zz"'))["squeeze"].identity(None) != before
    (folder / "squeeze.py").write_text(SCRIPT + "# other\n")
    assert describe(folder, LOSSLESS)["squeeze"].identity(None) != before


@pytest.mark.parametrize(("text", "problem"), [
    ("id = ", "Invalid value (at end of document)"),
    ('id = "x"\nencode = ["a"]', "decode: is missing; add it"),
    ('id = "X Y"', "id: must be lower-case letters and digits, joined by '-', '_' or '.', got 'X Y'"),
    (LOSSLESS.replace("lossless = true", "lossles = true"), "unknown key 'lossles'; did you mean 'lossless'?"),
    (LOSSLESS.replace("lossless = true", ""), "a lossy codec needs an [axis] table; add one or set lossless = true"),
    (LOSSY.replace('"{{quality}}"', '"9"'), "encode: the placeholder {quality} is missing"),
    (LOSSY.replace("{{quality}}", "{{qualty}}"), "unknown placeholder {qualty}; did you mean 'quality'?"),
    (LOSSY.replace("{{quality}}", "{{quality:z}}"), "encode: '{quality:z}': "),
    (LOSSY.replace("{{quality}}", "{{quality"), "encode: '{quality': expected '}' before end of string"),
    (LOSSLESS.replace('"decode", "{{input}}"', '"decode", "{{width}}"'), "decode: unknown placeholder {width}"),
    (LOSSY.replace("maximum = 8", "maximum = 7"), "quality axis 'bits': its values must lie in [1.0, 7.0]"),
    (LOSSLESS.replace("channels = [1, 3]", "channels = [2]"), "channels.0: must be 1, 3 or 4, got 2"),
    (LOSSLESS.replace("channels = [1, 3]", "channels = [3, true]"), "channels.1: must be a number, not true or false"),
    (LOSSY.replace("values = [2,", "values = [true, 2,"), "axis.values.0: must be a number, not true or false"),
    (LOSSY.replace("minimum = 1", "minimum = true"), "axis.minimum: must be a number, not true or false"),
    (LOSSLESS.replace("input =", "min_size = true\ninput ="), "min_size: must be a number, not true or false"),
    (LOSSLESS.replace("[1, 3]", "[3, 4]"), "ppm holds no alpha; use png or leave 4 out of channels"),
    ("suffix = '.a'\n" + LOSSLESS, "key 'suffix' is outside of the [[codec]] tables"),
    ("[codec]\nid = 'x'", "write [[codec]], not [codec]"),
    ("timeout = " + "9" * 5000, "holds a number of too many digits; correct it or BENCHBOX_EXEC"),
    ("encode = " + "[" * 5000 + "]" * 5000, "is nested too deeply; correct it or BENCHBOX_EXEC"),
    ("#" * (1 << 20) + "\n", "has more than 1024 KiB, too many for a codec description"),
])  # fmt: skip
def test_a_bad_description_costs_only_itself(folder: Path, text: str, problem: str) -> None:
    describe(folder, LOSSLESS.replace('"squeeze"', '"sound"'), "a.toml")
    infos = describe(folder, text, "b.toml")
    assert infos["sound"].unavailable() is None
    (bad,) = (info for name, info in infos.items() if name != "sound")
    reason = bad.unavailable() or ""
    assert reason.startswith(f"{folder / 'b.toml'}: ")
    assert problem in reason
    assert "\n" not in reason
    with pytest.raises(CodecUnavailableError):
        opened(bad)


def test_bad_ones_in_the_registry(folder: Path) -> None:
    describe(folder, "nonsense", "b.toml")
    describe(folder, LOSSLESS + LOSSLESS, "c.toml")
    codecs = registry.load().codecs
    assert "jpeg" in codecs
    assert codecs["squeeze"].unavailable() is None
    assert "the id 'squeeze' is already used by" in (codecs["exec-c-2"].unavailable() or "")
    assert "b.toml" in (codecs["exec-b"].unavailable() or "")


@pytest.mark.parametrize("taken", ["jpeg", "bmshj2018-factorized"])  # of plugins that load after this one, and before
def test_an_id_that_another_plugin_has_costs_only_this_codec(folder: Path, taken: str) -> None:
    usual = registry.load().codecs
    describe(folder, LOSSLESS.replace('"squeeze"', f'"{taken}"') + LOSSY)
    codecs = registry.load().codecs
    assert codecs[taken] == usual[taken]
    assert set(codecs) == {*usual, f"{taken}-exec", "squeeze-bits"}
    reason = codecs[f"{taken}-exec"].unavailable()
    assert reason == f"{folder / 'codecs.toml'}: benchbox has a codec with the id '{taken}'; choose another"
    assert codecs["squeeze-bits"].unavailable() is None


def test_where_descriptions_are_found(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder, LOSSLESS, "z.toml")
    config = tmp_path / "config" / "benchbox" / "exec"
    config.mkdir(parents=True)
    (config / "own.toml").write_text((folder / "z.toml").read_text().replace('"squeeze"', '"own"'))
    monkeypatch.setenv("BENCHBOX_EXEC", os.pathsep.join([str(folder / "z.toml"), str(tmp_path / "absent.toml"), ""]))
    infos = found()
    assert list(infos) == ["squeeze", "exec-absent", "own"]
    reason = infos["exec-absent"].unavailable() or ""
    assert "absent.toml: there is no such codec description; correct it or BENCHBOX_EXEC" in reason


def test_absent_program(folder: Path) -> None:
    info = describe(folder, LOSSLESS.replace("{python}, \"-IS\"", '"no-such-program"'))["squeeze"]
    assert (info.unavailable() or "").startswith("there is no program no-such-program; install it or correct ")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["id", "encode", "decode", "axis", "values", "lossless", "name"]), inner,
                        max_size=4), max_leaves=8))
def test_any_table_is_taken_or_refused_in_one_line(table: Any) -> None:
    if not isinstance(table, dict):
        return
    with pytest.raises(PluginError) as caught:  # none of these is whole: `input` and `output` are never named
        parse(table)
    assert "\n" not in str(caught.value)
