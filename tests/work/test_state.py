"""A codec that keeps the picture anywhere but in its stream is found out, and a stream that cannot be decoded later
says so."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
from small_runs import go, plan

import benchbox
from benchbox import image
from benchbox.cli.main import commands

SOURCE = """
module = {}

class OnSelf(Codec):
    def encode(self, image, quality):
        self.image = image.copy()
        return b"x"
    def decode(self, data): return self.image

class OnClass(OnSelf):
    def encode(self, image, quality):
        OnClass.image = image.copy()
        return b"x"

class InModule(Codec):
    def encode(self, image, quality):
        key = b"%d" % zlib.crc32(image.tobytes())
        module[key] = image.copy()
        return key
    def decode(self, data): return module[data]

class InEnvironment(Codec):
    def encode(self, image, quality):
        os.environ["KEPT"] = pack(image).hex()
        return b"x"
    def decode(self, data): return unpack(bytes.fromhex(os.environ["KEPT"]))

class OptionsOnSelf(Sound):
    def encode(self, image, quality):
        self.shape = image.shape
        return zlib.compress(image.tobytes())
    def decode(self, data): return np.frombuffer(zlib.decompress(data), np.uint8).reshape(self.shape)

class InFile(Codec):
    def path(self, key): return os.path.join(FOLDER, "kept-" + key.hex() + ".npy")
    def encode(self, image, quality):
        key = zlib.crc32(image.tobytes()).to_bytes(4, "big") + bytes([int(quality)])
        np.save(self.path(key), image)
        return key
    def decode(self, data): return np.load(self.path(data))

class InRenamedFile(InFile):
    def path(self, key): return os.path.join(FOLDER, "renamed-" + key.hex() + ".npy")
    def encode(self, image, quality):
        final = self.path
        self.path = lambda key: os.path.join(FOLDER, "part.npy")
        try: key = super().encode(image, quality)
        finally: self.path = final
        os.replace(os.path.join(FOLDER, "part.npy"), final(key))
        return key

class InTemporaryFile(InFile):
    def path(self, key):
        import tempfile
        return os.path.join(tempfile.gettempdir(), "kept-" + key.hex() + ".npy")

class ByChild(Codec):
    def encode(self, image, quality):
        path = os.path.join(os.environ["TMPDIR"], "kept")
        subprocess.run(["tee", path], input=image.tobytes(), stdout=subprocess.DEVNULL, check=True)
        return np.array(image.shape, "<u4").tobytes() + path.encode()
    def decode(self, data):
        done = subprocess.run(["cat", data[12:].decode()], stdout=subprocess.PIPE, check=True)
        return np.frombuffer(done.stdout, np.uint8).reshape(np.frombuffer(data[:12], "<u4"))

class ByChildElsewhere(ByChild):
    place = "."  # of a file that a program writes; the stream says where
    def encode(self, image, quality):
        path = os.path.join(self.place, "benchbox-kept-%d" % os.getpid())
        subprocess.run(["tee", path], input=image.tobytes(), stdout=subprocess.DEVNULL, check=True)
        return np.array(image.shape, "<u4").tobytes() + path.encode()

class BySqlite(Codec):  # a library in C writes, and no Python code opens the file
    def encode(self, image, quality):
        import sqlite3
        path = os.path.join(FOLDER, "kept-%d.db" % os.getpid())
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE IF NOT EXISTS t (b)")
            db.execute("DELETE FROM t")
            db.execute("INSERT INTO t VALUES (?)", (pack(image),))
        db.close()
        return path.encode()
    def decode(self, data):
        import sqlite3
        with sqlite3.connect(data.decode()) as db: return unpack(db.execute("SELECT b FROM t").fetchone()[0])

SERVER = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); " \\
         "data = sys.stdin.buffer.read(); print(flush=True)\\nwhile True: c = s.accept()[0]; c.sendall(data); c.close()"

class ByServer(Codec):  # a process that encode starts hands the picture on
    def encode(self, image, quality):
        name = "\\0kept-%d" % os.urandom(4)[0]
        started = subprocess.Popen([sys.executable, "-c", SERVER.replace("sys.argv[1]", repr(name))],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        started.stdin.write(pack(image)); started.stdin.close(); started.stdout.readline()
        return name.encode()
    def decode(self, data):
        import socket
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(data.decode())
            parts = []
            while part := s.recv(1 << 16): parts.append(part)
        return unpack(b"".join(parts))

class InFileOfWarmUp(InFile):
    def path(self, key): return os.path.join(FOLDER, "warm-" + key[:4].hex() + ".npy")
    def encode(self, image, quality):
        key = zlib.crc32(image.tobytes()).to_bytes(4, "big")
        return key if os.path.exists(self.path(key)) else super().encode(image, quality)[:4]

class HonestFiles(Sound):
    def encode(self, image, quality):
        log = os.path.join(os.environ["TMPDIR"], "log")
        subprocess.run(["tee", log], input=b"a log", stdout=subprocess.DEVNULL, check=True)
        return pack(image)
    def decode(self, data):
        import tempfile
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "stream")
            with open(path, "wb") as file: file.write(data)
            return unpack(subprocess.run(["cat", path], stdout=subprocess.PIPE, check=True).stdout)

class Rots(Sound):
    def decode(self, data):
        if os.path.exists(os.path.join(FOLDER, "rotten")): raise ValueError("rotten")
        if os.path.exists(os.path.join(FOLDER, "deadly")): os._exit(9)
        return unpack(data)

CODECS.update({"on-self": OnSelf, "on-class": OnClass, "in-module": InModule, "in-environment": InEnvironment,
               "options-on-self": OptionsOnSelf, "in-file": InFile, "in-renamed-file": InRenamedFile,
               "in-temporary-file": InTemporaryFile, "rots": Rots, "sound": Sound, "by-child": ByChild,
               "in-file-of-warm-up": InFileOfWarmUp, "honest-files": HonestFiles, "by-server": ByServer,
               "by-sqlite": BySqlite})
PLACES = {"here": ".", "home": os.path.expanduser("~"), "var": "/var/tmp", "tmp": "/tmp", "shm": "/dev/shm"}
for name, place in PLACES.items():
    CODECS["by-child-" + name] = type(name, (ByChildElsewhere,), {"place": place})
"""

CHEATS = ("on-self", "on-class", "in-module", "in-environment", "options-on-self", "in-file", "in-renamed-file",
          "in-temporary-file", "by-child", "in-file-of-warm-up", "by-server")  # fmt: skip
UNSEEN = ("by-child-here", "by-child-home", "by-child-var", "by-child-tmp", "by-child-shm", "by-sqlite")
"""Cheats whose files no Python code wrote: found out where the second decoder may have a view of its own."""


@cache
def views_are_allowed() -> bool:
    script = "import sys, pathlib; from benchbox.work.view import View; print(View(pathlib.Path(sys.argv[1])).own)"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> Path:
    made = tmp_path_factory.mktemp("state")
    (made / "p").mkdir()
    rng = np.random.default_rng(1)
    for name in ("a", "b"):
        image.write_png(made / "p" / f"{name}.png", rng.integers(0, 255, (48, 64, 3)).astype(np.uint8))
    third(f"FOLDER = {str(made)!r}\n{SOURCE}")
    return made


@pytest.fixture(scope="module")
def frame(folder: Path) -> pd.DataFrame:
    codecs = [{"id": name, "qualities": [1, 2]} for name in (*CHEATS, *UNSEEN, "sound", "honest-files")]
    with contextlib.chdir(folder):
        found = go(folder, plan(folder / "p", *codecs, {"id": "jpeg", "qualities": [50]}))
    for place in (Path.home(), Path("/var/tmp"), Path("/tmp"), Path("/dev/shm")):
        for left in place.glob("benchbox-kept-*"):
            left.unlink()
    return found


@pytest.mark.parametrize("codec", [*CHEATS, *UNSEEN])
def test_what_is_not_in_the_stream_is_not_there_to_decode(codec: str, frame: pd.DataFrame) -> None:
    if codec in UNSEEN and not views_are_allowed():
        pytest.skip("this system gives no process a view of its own")
    rows = frame[frame["codec"] == codec]
    assert len(rows) == 4
    assert set(rows["status"]) == {"failed"}
    assert rows["reason"].str.startswith(f"{codec} (plugin third_plugin): ").all()
    assert rows["reason"].str.contains("in another process").all()


def test_sound_codecs_are_not_blamed(frame: pd.DataFrame) -> None:
    assert set(frame[frame["codec"].isin(["sound", "honest-files", "jpeg"])]["status"]) == {"ok"}


@pytest.mark.parametrize("sign", ["rotten", "deadly"])
def test_a_stream_that_can_no_longer_be_scored_says_so_and_is_tried_again_on_demand(
    sign: str, folder: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    asked = plan(folder / "p", {"id": "rots", "qualities": [1, 2]})
    before = go(tmp_path, asked)
    (folder / sign).touch()
    try:
        after = go(tmp_path, asked | {"metrics": ["psnr", "psnr-y"]})
    finally:
        (folder / sign).unlink()
    assert set(after["status"]) == {"ok"}
    assert list(after["stream_sha256"]) == list(before["stream_sha256"])
    for reasons in after["null_reasons"]:
        assert json.loads(reasons)["psnr-y"].startswith("not scored: decoding the kept stream")
    asked |= {"metrics": ["psnr", "psnr-y"]}
    assert list(go(tmp_path, asked)["null_reasons"]) == list(after["null_reasons"]), "it is left until asked for"
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(asked))
    commands.main(["run", str(tmp_path / "plan.toml"), "--retry", "--no-report", "--workspace", str(tmp_path / "runs")],
                  standalone_mode=False)  # fmt: skip
    again = benchbox.load("t", tmp_path / "runs")
    assert all("luma is identical" in json.loads(reasons)["psnr-y"] for reasons in again["null_reasons"])
