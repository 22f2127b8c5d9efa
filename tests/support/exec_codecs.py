"""Command-line codecs for tests: a Python script as a codec, and descriptions of it."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import benchbox_exec
import pytest
from benchbox_exec.codec import ExecInfo

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
    """Write a description into `folder`; the codecs that are found then, by id."""
    (folder / name).write_text(text.format(python=f'"{sys.executable}"'))
    return found()


def found() -> dict[str, ExecInfo]:
    """The codecs that the plugin finds, by id."""
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
