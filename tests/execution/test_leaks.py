"""Whatever a codec does to its process, another codec beside it gets its rows, right ones, and the blame is by name."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from small_runs import go, plan, rows_of

from benchbox import image

JPEG = {"id": "jpeg", "qualities": [10, 50]}

FINE = ("threads", "files", "children", "detached", "stdout", "fork", "forkraise", "chdir", "umask", "handlers")
"""Deeds after which the codec still gives a stream: its rows are ok."""

ENDS = {
    "exit": "encode raised SystemExit: 0 (", "exittext": "encode raised SystemExit: enough", "osexit": "exit status 3",
    "oszero": "exit status 0", "term": "SIGTERM", "abort": "SIGABRT", "killed": "SIGKILL", "closefds": "exit status 1",
    "sigign": "not finished after 6 s",
    "base": "encode raised BaseException: base", "kbd": "encode raised KeyboardInterrupt",
    "stopiter": "StopIteration", "hugeerr": "ValueError: xxx", "recur": "RecursionError", "said": "my last words",
    "storeerr": "StoreError: no room", "decodeexit": "decode raised SystemExit: 1",
}  # fmt: skip
"""Deeds that cost the codec's own points -> what the reason says."""

SOURCE = '''
keep = []

class Leak(Codec):
    mode = ""
    def encode(self, image, quality):
        getattr(self, self.mode, lambda image: None)(image)
        if self.mode == "fork":
            if os.fork() == 0: return b"child"
        if self.mode == "forkraise":
            if os.fork() == 0: raise ValueError("child")
        return pack(image)
    def decode(self, data):
        if self.mode == "decodeexit": sys.exit(1)
        return unpack(data)
    def threads(self, image): threading.Thread(target=time.sleep, args=(600,)).start()
    def files(self, image): keep.extend(open("/etc/hostname") for _ in range(400))
    def children(self, image): keep.append(subprocess.Popen(["sleep", "611"]))
    def detached(self, image): subprocess.Popen(["sh", "-c", "sleep 613 & sleep 613"], start_new_session=True)
    def exit(self, image): sys.exit(0)
    def exittext(self, image): sys.exit("enough")
    def osexit(self, image): os._exit(3)
    def oszero(self, image): os._exit(0)
    def term(self, image): os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)
    def abort(self, image): os.abort()
    def killed(self, image): os.kill(os.getpid(), signal.SIGKILL)
    def closefds(self, image): os.closerange(3, 4096)
    def stdout(self, image): os.write(1, b\'{"event":"point","key":"x"}\\n\'); print("junk" * 100_000)
    def chdir(self, image): os.chdir("/"); os.environ.clear()
    def umask(self, image): os.umask(0o777)
    def handlers(self, image): signal.signal(signal.SIGINT, signal.SIG_DFL)
    def sigign(self, image): [signal.signal(s, signal.SIG_IGN) for s in (15, 1)]; time.sleep(1000)
    def base(self, image): raise BaseException("base")
    def kbd(self, image): raise KeyboardInterrupt
    def stopiter(self, image): raise StopIteration
    def hugeerr(self, image): raise ValueError("x" * 50_000_000)
    def recur(self, image): return self.recur(image)
    def said(self, image): print("my last words"); os._exit(1)
    def storeerr(self, image):
        from benchbox.errors import StoreError
        raise StoreError("no room")

for mode in MODES:
    CODECS["leak-" + mode] = type(mode, (Leak,), {"mode": mode})
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("leaks")
    (made / "pictures").mkdir()
    rng = np.random.default_rng(1)
    image.write_png(made / "pictures" / "a.png", rng.integers(0, 255, (64, 48, 3)).astype(np.uint8))
    return made


@pytest.fixture(scope="module")
def frame(folder: Path, third: Callable[[str], None]) -> pd.DataFrame:
    modes = [*FINE, *ENDS]
    third(f"MODES = {modes!r}\n{SOURCE}")
    leaks = [{"id": f"leak-{mode}", "qualities": [1]} for mode in modes]
    return go(folder, plan(folder / "pictures", *leaks, JPEG, limits={"point_seconds": 6}))


@pytest.fixture(scope="module")
def truth(folder: Path) -> pd.DataFrame:
    (folder / "alone").mkdir()
    return go(folder / "alone", plan(folder / "pictures", JPEG))


def test_the_codec_beside_them_has_its_rows_right(frame: pd.DataFrame, truth: pd.DataFrame) -> None:
    columns = ["status", "reason", "bytes", "exact", "stream_sha256", "pixels_sha256", "psnr"]
    rows = frame[frame["codec"] == "jpeg"][columns].astype(object).to_numpy().tolist()
    assert rows == truth[columns].astype(object).to_numpy().tolist()


@pytest.mark.parametrize("mode", FINE)
def test_a_codec_that_still_gives_a_stream_is_measured(mode: str, frame: pd.DataFrame) -> None:
    (row,) = rows_of(frame[frame["codec"] == f"leak-{mode}"])
    assert (row.status, row.reason) == ("ok", "")


@pytest.mark.parametrize("mode", ENDS)
def test_a_codec_that_ends_its_process_is_blamed_by_name(mode: str, frame: pd.DataFrame) -> None:
    (row,) = rows_of(frame[frame["codec"] == f"leak-{mode}"])
    assert row.status in ("failed", "crashed", "timeout")
    assert ENDS[mode] in str(row.reason)
    assert len(str(row.reason)) <= 500
    if " raised " in ENDS[mode]:
        who = rf"leak-{mode} \(plugin third_plugin\): (en|de)code raised .* \(third_plugin\.py:\d+\)"
        assert re.fullmatch(who, str(row.reason))


def test_nothing_that_they_started_lives_on(frame: pd.DataFrame) -> None:
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if line in ("sleep 611", "sleep 613")]


def test_no_temporary_folder_and_no_spool_is_left(frame: pd.DataFrame, folder: Path) -> None:
    assert not list((folder / "runs" / "spool").iterdir())


def test_points_that_leak_files_do_not_bring_a_run_down(frame: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        rows = go(tmp_path, plan(folder / "pictures", {"id": "leak-files", "qualities": [1, 2, 3, 4]}), workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert set(rows["status"]) == {"ok"}, "400 files a point, twice while warming up, are more than a process may hold"
