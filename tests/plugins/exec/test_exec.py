"""The exec plugin with real commands: a Python script as a codec, Debian's cjpeg and cwebp where they are installed."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exec_codecs import LOSSLESS, LOSSY, describe, one, opened

import benchbox
from benchbox import testing
from benchbox.errors import CodecError, CorruptBitstream, UnsupportedImageError
from benchbox.image import Image, write_png


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
    with pytest.raises(CodecError, match=r"succeeded but wrote no output\.bin"):
        codec.encode(photo, None)
    with pytest.raises(CorruptBitstream, match=r"the output of `decode` cannot be read"):
        codec.decode(b"anything")


def test_time_limit_names_its_key(folder: Path, photo: Image) -> None:
    info = one(folder, "import time; time.sleep(60)", more="timeout = 1.5")
    start = time.monotonic()
    with pytest.raises(CodecError, match=r"^one: .* took longer than 1.5 s; raise `timeout` in its TOML$"):
        opened(info).encode(photo, None)
    assert time.monotonic() - start < 20


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
