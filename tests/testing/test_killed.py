"""Nothing of a trial outlives the process that asked for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

HANGS = """
import time
from collections.abc import Callable
from pathlib import Path
from benchbox import Codec, CodecInfo, QualityAxis, hookimpl

class Hangs(Codec):
    def __init__(self, *given): pass
    def encode(self, image, quality):
        Path({began!r}).touch()
        while True: pass
    def decode(self, data): return None

class HangsInfo(CodecInfo):
    id, title, codec_class = "hangs", "Hangs", Hangs
    quality = QualityAxis("q", (1, 2), 1, 2)
    def identity(self, options): return "hangs 1"

@hookimpl
def benchbox_codecs(): return [HangsInfo()]
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_hanging_plugin_ends_with_the_check(number: int, tmp_path: Path) -> None:
    began = tmp_path / "began"
    (tmp_path / "hangs.py").write_text(HANGS.format(began=str(began)))
    check = subprocess.Popen([sys.executable, "-m", "benchbox", "check", "--plugin", str(tmp_path / "hangs.py")],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        assert comes(began.exists, 60)
        family = psutil.Process(check.pid).children(recursive=True)
        assert family
    finally:
        check.send_signal(number)
        check.wait(30)
    assert comes(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family), 10)


def comes(what: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False
