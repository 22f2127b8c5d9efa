"""SIGTERM and SIGHUP end a run as Ctrl-C does; with the run, however it ends, end the encoders that codecs started, and
no temporary folder is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from waiting import until

from benchbox import image

SPEC = """
id = "slow"
lossless = true
encode = ["sh", "-c", "sleep 617; cp $0 $1", "{input}", "{output}"]
decode = ["cp", "{input}", "{output}"]
"""


def at_work(run: int) -> bool:
    """Whether the run of that process id has its encoder at work."""
    commands = []
    for process in psutil.Process(run).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            commands.append(process.cmdline())
    return ["sleep", "617"] in commands


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that waits for an encoder."""
    (tmp_path / "p").mkdir()
    (tmp_path / "tmp").mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.full((32, 32, 3), 9, np.uint8))
    (tmp_path / "slow.toml").write_text(SPEC)
    command = [sys.executable, "-m", "benchbox", "run", "--dataset", f"folder:{tmp_path / 'p'}", "--codec", "slow",
               "--metric", "psnr", "--no-report"]  # fmt: skip
    environment = {**os.environ, "BENCHBOX_EXEC": str(tmp_path / "slow.toml"), "TMPDIR": str(tmp_path / "tmp")}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs that ignore it
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with process:
        try:
            until(lambda: at_work(process.pid), "the encoder")
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_the_run_and_all_that_it_started_end_together(
    name: str, run: subprocess.Popen[str], tmp_path: Path
) -> None:
    family = psutil.Process(run.pid).children(recursive=True)
    assert list((tmp_path / "tmp").iterdir())
    run.send_signal(getattr(signal, name))
    _, errors = run.communicate(timeout=200)
    _, alive = psutil.wait_procs(family, timeout=50)
    assert not alive
    until(lambda: not list((tmp_path / "tmp").iterdir()), "the end of temporary folders", 50)
    if name != "SIGKILL":
        assert run.returncode == 130
        assert "0 of 1 points were measured and are kept. Run the same command again to continue" in errors
        assert "Traceback" not in errors


def test_a_run_under_nohup_goes_on() -> None:
    from benchbox.session.signals import ends_like_ctrl_c

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ends_like_ctrl_c():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
