"""A plugin that raises what Ctrl-C raises, or ends the process, costs itself; the user's Ctrl-C stays the user's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchbox.errors import PluginError
from benchbox.guard import guarded
from benchbox.stopping import StoppedByUser

PLUGIN = """
import os
import numpy as np
from benchbox import hookimpl
from benchbox.dataset import Dataset, DatasetInfo, Sample

def fault(): {fault}

class Picture(Sample):
    def __init__(self, id): self.id = id
    def sha256(self):
        if {where!r} == "sha256": fault()
    def load(self):
        if {where!r} == "load" and self.id == "bad": fault()
        return np.zeros((16, 16, 3), np.uint8)

class Data(DatasetInfo):
    def open(self, argument):
        if {where!r} == "open": fault()
        return Dataset("odd", "Odd", (Picture("bad"), Picture("good")))

@hookimpl
def benchbox_datasets(): return [Data(id="odd", title="Odd")]
"""


@pytest.mark.parametrize("where", ["open", "sha256", "load"])
@pytest.mark.parametrize("fault", ["raise KeyboardInterrupt", "raise GeneratorExit", "os._exit(0)"])
def test_a_data_set_that_ends_things_is_named(where: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "odd_data.py").write_text(PLUGIN.format(where=where, fault=fault))
    words = ["run", "--plugin", "odd_data.py", "--name", "a", "--dataset", "odd", "--codec", "jpeg@50"]
    done = subprocess.run([sys.executable, "-m", "benchbox", *words], cwd=tmp_path, capture_output=True, text=True,
                          check=False)  # fmt: skip
    said = "SystemExit: os._exit(0)" if "exit(" in fault else fault.split()[1]
    assert f"(plugin odd_data): {where} raised {said} (odd_data.py:7)" in done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if where == "load":
        assert "1 failed, 1 ok" in done.stdout + done.stderr


def test_ctrl_c_during_a_call_stays_ctrl_c() -> None:
    with pytest.raises(StoppedByUser):
        guarded(os.kill, os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_somebody_else_may_raise_keyboard_interrupt() -> None:
    def handler(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt("theirs")

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(StoppedByUser, match="theirs"):
            guarded(os.kill, os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def raises_keyboard_interrupt() -> None:
    raise KeyboardInterrupt


def test_a_plugin_that_raises_keyboard_interrupt_is_blamed() -> None:
    with pytest.raises(PluginError, match="raises_keyboard_interrupt raised KeyboardInterrupt"):
        guarded(raises_keyboard_interrupt)
