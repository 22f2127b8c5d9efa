"""The memory of what a worker started: of the processes below each child of a guard, the child itself not counted."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from waiting import until

from benchbox.execution import memory

TREE = textwrap.dedent(
    """
    import os, subprocess, sys, time
    held = b"x" * (int(sys.argv[1]) << 20)
    for child in eval(sys.argv[2]):
        subprocess.Popen([sys.executable, sys.argv[0], *map(str, child)])
    open(f"ready-{os.getpid()}", "x").close()
    time.sleep(600)
    """
)


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "in the table"])
def test_the_largest_share_below_a_guard_counts(
    listed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree.py").write_text(TREE)
    worker, other = "(80, [(5, []), (60, [(70, [])])])", "(1, [(40, [])])"  # MiB held by each, and its children
    family = [sys.executable, str(tmp_path / "tree.py"), "1", f"[{worker}, {other}]"]
    if not listed:
        monkeypatch.setattr(memory, "_task_of", lambda pid, thread: tmp_path / "nowhere")
    guard = subprocess.Popen(family, cwd=tmp_path)
    try:
        until(lambda: len(list(tmp_path.glob("ready-*"))) == 7, "seven processes", 100)
        found = memory.held_below({guard.pid})[guard.pid]
        top = next(one for one in psutil.Process(guard.pid).children() if one.cmdline()[2] == "80")
        assert found == sum(one.memory_info().rss for one in top.children(recursive=True))
        assert 135 << 20 < found < 300 << 20
    finally:
        for process in [*psutil.Process(guard.pid).children(recursive=True), guard]:
            process.kill()
        guard.wait()
    assert memory.held_below({guard.pid}) == {guard.pid: 0}
