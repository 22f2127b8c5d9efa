"""The exec plugin with real commands: a Python script as a codec, Debian's cjpeg and cwebp where they are installed."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import benchbox_exec
import numpy as np
import pytest
from benchbox_exec import pnm
from benchbox_exec.codec import ExecInfo
from benchbox_exec.spec import parse
from hypothesis import given
from hypothesis import strategies as st

import benchbox
from benchbox import registry, testing
from benchbox.errors import (
    CodecError,
    CodecUnavailableError,
    CorruptBitstream,
    CorruptImageError,
    PluginError,
    UnsupportedImageError,
)
from benchbox.image import Image, write_png

SCRIPT = '''\
"""Squeezes a PPM file by zlib; keeps only the upper bits of each 8-bit sample if asked to."""
import sys, zlib
task, source, target, *bits = sys.argv[1:]
data = open(source, "rb").read()
if task == "encode":
    if bits:
        start = data.index(b"255\\n") + 4
        mask = 256 - (256 >> int(bits[0]))
        data = data[:start] + data[start:].translate(bytes(value & mask for value in range(256)))
    data = zlib.compress(data)
else:
    data = zlib.decompress(data)
open(target, "wb").write(data)
'''

LOSSLESS = '''
[[codec]]
id = "squeeze"
title = "zlib over PPM"
encode = [{python}, "-IS", "{{here}}/squeeze.py", "encode", "{{input}}", "{{output}}"]
decode = [{python}, "-IS", "{{here}}/squeeze.py", "decode", "{{input}}", "{{output}}"]
version = [{python}, "--version"]
input = "ppm"
output = "ppm"
suffix = ".z"
channels = [1, 3]
bit_depths = [8, 16]
lossless = true
'''

LOSSY = '''
[[codec]]
id = "squeeze-bits"
encode = [{python}, "-IS", "{{here}}/squeeze.py", "encode", "{{input}}", "{{output}}", "{{quality}}"]
decode = [{python}, "-IS", "{{here}}/squeeze.py", "decode", "{{input}}", "{{output}}"]
input = "ppm"
output = "ppm"
suffix = ".z"
[codec.axis]
name = "bits"
values = [2, 3, 4, 5, 6, 7, 8]
minimum = 1
maximum = 8
integer = true
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that BENCHBOX_EXEC names, with the script in it; no description is found anywhere else."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = tmp_path / "with space"
    here.mkdir()
    monkeypatch.setenv("BENCHBOX_EXEC", str(here))
    (here / "squeeze.py").write_text(SCRIPT)
    return here


def describe(folder: Path, text: str, name: str = "codecs.toml") -> dict[str, ExecInfo]:
    (folder / name).write_text(text.format(python=f'"{sys.executable}"'))
    return found()


def found() -> dict[str, ExecInfo]:
    infos = benchbox_exec.benchbox_codecs()
    assert all(isinstance(info, ExecInfo) for info in infos)
    return {info.id: info for info in infos if isinstance(info, ExecInfo)}


def one(folder: Path, encode: str, decode: str = "", more: str = "") -> ExecInfo:
    """A lossless codec of two lines of Python each."""
    decode = decode or "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2])"
    (folder / "encode.py").write_text(textwrap.dedent(encode))
    (folder / "decode.py").write_text(textwrap.dedent(decode))
    infos = describe(folder, f'''
id = "one"
encode = [{{python}}, "-IS", "{{{{here}}}}/encode.py", "{{{{input}}}}", "{{{{output}}}}"]
decode = [{{python}}, "-IS", "{{{{here}}}}/decode.py", "{{{{input}}}}", "{{{{output}}}}"]
lossless = true
{more}
''')
    return infos["one"]


def opened(info: ExecInfo) -> Any:
    return info.open(info.parse_options({}), "cpu")


@pytest.mark.parametrize("name", ["squeeze", pytest.param("squeeze-bits", marks=pytest.mark.slow)])
def test_conformance(folder: Path, name: str) -> None:
    infos = describe(folder, LOSSLESS + LOSSY)
    assert list(infos) == ["squeeze", "squeeze-bits"]
    testing.check_codec(infos[name])


def test_a_run_finds_it_exact(folder: Path, tmp_path: Path, photo: Image) -> None:
    describe(folder, LOSSLESS + LOSSY)
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos" / "a.png", photo)
    frame = benchbox.run({"name": "lines", "dataset": [f"folder:{tmp_path / 'photos'}"], "metrics": ["psnr"],
                          "codec": [{"id": "squeeze"}, {"id": "squeeze-bits", "qualities": [3, 6]}]},
                         workspace=tmp_path / "runs", workers=1, reports=[])  # fmt: skip
    assert set(frame["status"]) == {"ok"}
    rows: Any = frame.sort_values("bytes")[["codec", "quality", "exact"]].to_dict("records")
    assert [(row["codec"], row["exact"]) for row in rows] == [
        ("squeeze-bits", False), ("squeeze-bits", False), ("squeeze", True)]  # fmt: skip
    assert [row["quality"] for row in rows[:2]] == [3, 6]
    lossless = frame[frame["codec"] == "squeeze"].iloc[0]
    assert np.isnan(lossless["psnr"])
    assert "pictures are identical: PSNR is unbounded" in lossless["null_reasons"]
    assert frame["psnr"].notna().sum() == 2


def test_stream_is_the_file_that_encode_wrote(folder: Path, photo: Image) -> None:
    info = one(folder, "import sys; open(sys.argv[2], 'wb').write(b'head' + open(sys.argv[1], 'rb').read())",
               "import sys; open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read()[4:])")
    codec = opened(info)
    data = codec.encode(photo, None)
    assert data[:8] == b"head\x89PNG"
    assert np.array_equal(codec.decode(data), photo)


def test_placeholders(folder: Path, photo: Image) -> None:
    infos = describe(folder, '''
id = "echo"
encode = [{python}, "-IS", "-c", "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))", "{{output}}",
          "{{quality}}", "q={{quality:.2f}}", "{{width}}x{{height}}", "{{{{brace}}}}", "$HOME; ls *", "{{input}}"]
decode = [{python}, "-c", "pass", "{{input}}", "{{output}}"]
suffix = ".txt"
axis = {{ values = [0.5, 1], minimum = 0, maximum = 2 }}
''')
    words = opened(infos["echo"]).encode(photo, 0.5).decode()
    assert words.startswith("0.5 q=0.50 256x192 {brace} $HOME; ls * ")
    assert not Path(words.split()[-1]).parent.exists()  # the private folder is gone


def test_errors_carry_the_last_line(folder: Path, photo: Image) -> None:
    info = one(folder, "import sys; print('first', file=sys.stderr); sys.exit('disk of straw')",
               "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    codec = opened(info)
    name = Path(sys.executable).name
    with pytest.raises(CodecError, match=rf"^one: {name} ended with status 1: disk of straw$"):
        codec.encode(photo, None)
    with pytest.raises(CorruptBitstream, match=rf"^one: {name} was ended by SIGSEGV$"):
        codec.decode(b"anything")


def test_a_command_that_writes_nothing(folder: Path, photo: Image) -> None:
    codec = opened(one(folder, "pass", "import sys; open(sys.argv[2], 'w').write('no picture')"))
    with pytest.raises(CodecError, match=r"ended well but wrote no output\.bin"):
        codec.encode(photo, None)
    with pytest.raises(CorruptBitstream, match=r"what `decode` wrote cannot be read"):
        codec.decode(b"anything")


def test_time_limit_ends_the_command_and_its_children(folder: Path, photo: Image) -> None:
    info = one(folder, """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        open(sys.argv[0] + '.pid', 'w').write(str(child.pid))
        time.sleep(60)
    """, more="timeout = 1.5")
    start = time.monotonic()
    with pytest.raises(CodecError, match=r"took longer than 1.5 s; raise `timeout` in its TOML"):
        opened(info).encode(photo, None)
    assert time.monotonic() - start < 20
    child = int((folder / "encode.py.pid").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the command's own child outlived the time limit")


def test_no_temporary_files_are_left(
    folder: Path, tmp_path: Path, photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    codec = opened(one(folder, "import sys; sys.exit('no')"))
    for call in (lambda: codec.encode(photo, None), lambda: codec.decode(b"x")):
        with pytest.raises(CodecError):
            call()
    assert list(place.iterdir()) == []


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
    ('id = "x"\nencode = ["a"]', "decode: Field required"),
    ('id = "X Y"', "id: String should match pattern"),
    (LOSSLESS.replace("lossless = true", "lossles = true"), "unknown key 'lossles'; did you mean 'lossless'?"),
    (LOSSLESS.replace("lossless = true", ""), "a lossy codec needs an [axis] table; or set lossless = true"),
    (LOSSY.replace('"{{quality}}"', '"9"'), "encode: the placeholder {quality} is missing"),
    (LOSSY.replace("{{quality}}", "{{qualty}}"), "unknown placeholder {qualty}; did you mean 'quality'?"),
    (LOSSY.replace("{{quality}}", "{{quality:z}}"), "encode: '{quality:z}': "),
    (LOSSY.replace("{{quality}}", "{{quality"), "encode: '{quality': expected '}' before end of string"),
    (LOSSLESS.replace('"decode", "{{input}}"', '"decode", "{{width}}"'), "decode: unknown placeholder {width}"),
    (LOSSY.replace("maximum = 8", "maximum = 7"), "quality axis 'bits': its values must lie in [1.0, 7.0]"),
    (LOSSLESS.replace("channels = [1, 3]", "channels = [2]"), "channels.0: Input should be 1, 3 or 4"),
    (LOSSLESS.replace("[1, 3]", "[3, 4]"), "ppm holds no alpha; take png or leave 4 out of channels"),
    ("suffix = '.a'\n" + LOSSLESS, "key 'suffix' stands outside of the [[codec]] tables"),
    ("[codec]\nid = 'x'", "write [[codec]], not [codec]"),
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
    assert "the id 'squeeze' is taken already" in (codecs["exec-c-2"].unavailable() or "")
    assert "b.toml" in (codecs["exec-b"].unavailable() or "")


@pytest.mark.parametrize("taken", ["jpeg", "bmshj2018-factorized"])  # of plugins that load after this one, and before
def test_an_id_that_another_plugin_has_costs_only_this_codec(folder: Path, taken: str) -> None:
    usual = registry.load().codecs
    describe(folder, LOSSLESS.replace('"squeeze"', f'"{taken}"') + LOSSY)
    codecs = registry.load().codecs
    assert codecs[taken] == usual[taken]
    assert set(codecs) == {*usual, f"{taken}-exec", "squeeze-bits"}
    reason = codecs[f"{taken}-exec"].unavailable()
    assert reason == f"{folder / 'codecs.toml'}: the id '{taken}' is that of a codec of benchbox; give it another"
    assert codecs["squeeze-bits"].unavailable() is None


def test_where_descriptions_are_found(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder, LOSSLESS, "z.toml")
    config = tmp_path / "config" / "benchbox" / "exec"
    config.mkdir(parents=True)
    (config / "own.toml").write_text((folder / "z.toml").read_text().replace('"squeeze"', '"own"'))
    monkeypatch.setenv("BENCHBOX_EXEC", os.pathsep.join([str(folder / "z.toml"), str(tmp_path / "absent.toml"), ""]))
    infos = found()
    assert list(infos) == ["squeeze", "exec-absent", "own"]
    assert "cannot be read (No such file or directory)" in (infos["exec-absent"].unavailable() or "")


def test_absent_program(folder: Path) -> None:
    info = describe(folder, LOSSLESS.replace("{python}, \"-IS\"", '"no-such-program"'))["squeeze"]
    assert (info.unavailable() or "").startswith("there is no program no-such-program; install it or correct ")


def test_pictures_without_colour_come_back_in_colour(folder: Path) -> None:
    # PNG writers like to store gray pictures as gray; the description says that this codec is one of RGB.
    pixels = np.repeat(testing.picture(20, 30, 1, 8), 3, axis=2)
    codec = opened(one(folder, "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2])"))
    write_png(folder / "gray.png", pixels[:, :, :1])
    assert np.array_equal(codec.decode((folder / "gray.png").read_bytes()), pixels)
    with pytest.raises(UnsupportedImageError, match="gray pictures are not supported"):
        codec.encode(pixels[:, :, :1], None)


@pytest.mark.parametrize(("program", "text"), [
    ("cjpeg", '''
id = "cjpeg"
encode = ["cjpeg", "-quality", "{{quality}}", "-outfile", "{{output}}", "{{input}}"]
decode = ["djpeg", "-outfile", "{{output}}", "{{input}}"]
version = ["cjpeg", "-version"]
input = "ppm"
output = "ppm"
suffix = ".jpg"
channels = [1, 3]
axis = {{ values = [10, 30, 50, 70, 90], minimum = 1, maximum = 100, integer = true }}
'''),
    ("cwebp", '''
id = "cwebp"
encode = ["cwebp", "-quiet", "-lossless", "-exact", "{{input}}", "-o", "{{output}}"]
decode = ["dwebp", "-quiet", "{{input}}", "-o", "{{output}}"]
version = ["cwebp", "-version"]
suffix = ".webp"
lossless = true
'''),
])  # fmt: skip
def test_debian_programs(folder: Path, program: str, text: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: libjpeg-turbo-progs, webp)")
    testing.check_codec(describe(folder, text)[program])


@given(height=st.integers(1, 9), width=st.integers(1, 9), channels=st.sampled_from([1, 3]),
       bits=st.sampled_from([8, 16]), comment=st.booleans())
def test_pnm_round_trip(height: int, width: int, channels: int, bits: int, comment: bool) -> None:
    pixels = testing.picture(height, width, channels, bits)
    data = pnm.write(pixels)
    if comment:
        data = data.replace(b"\n", b"\n# a comment 12 34\n", 1)
    back = pnm.read(data)
    assert back.dtype == pixels.dtype
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize("data", [
    b"", b"P6", b"P3\n1 1\n255\n1 2 3", b"P6\n1 1\n100\nabc", b"P6\n2 2\n255\nabc", b"P5\n1 1\n255\nab",
    b"P6\n999999999 999999999\n255\n", b"P6\n0 5\n255\n",
])  # fmt: skip
def test_bad_pnm(data: bytes) -> None:
    with pytest.raises(CorruptImageError):
        pnm.read(data)


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
