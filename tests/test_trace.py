"""BENCHBOX_TRACE=1 prints each call into a plugin with its time on standard error, from workers too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_files import TOY

LINE = re.compile(r"^ *\d+\.\d{3} ms  (\S.*)  \[(\d+)\]$", flags=re.MULTILINE)


def traced(folder: Path, *arguments: str, **variables: str) -> list[tuple[str, str]]:
    """(call, process) of each line of the trace."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-m", "benchbox", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=environment)
    assert "ms  " not in done.stdout
    return LINE.findall(done.stderr)


@pytest.mark.parametrize("value", ["", "0"])
def test_without_it_there_is_no_line(value: str, toy_file: Path) -> None:
    assert traced(toy_file.parent, "list", "--plugin", "mycodec.py", BENCHBOX_TRACE=value) == []


def test_a_list_asks_each_plugin(toy_file: Path) -> None:
    calls = [call for call, _ in traced(toy_file.parent, "list", "--plugin", "mycodec.py", BENCHBOX_TRACE="1")]
    assert "toy (plugin mycodec): axis" in calls
    assert [call for call in calls if call.endswith("benchbox_codecs")]


def test_workers_print_theirs(toy_file: Path, pictures: Path) -> None:
    toy_file.write_text(TOY, encoding="utf-8")
    command = ["run", "--plugin", "mycodec.py", "--dataset", f"folder:{pictures}", "--codec", "toy@2", "--metric",
               "psnr", "--no-report", "--workers", "1"]  # fmt: skip
    lines = traced(toy_file.parent, *command, BENCHBOX_TRACE="1")
    for method in ("encode", "decode", "score", "prepare"):
        processes = {process for call, process in lines if re.search(rf"\b{method}\b", call)}
        assert processes, method
        assert processes.isdisjoint(process for call, process in lines if call.endswith(": axis")), method
