"""A worker that the kernel ends for want of memory: its point has the status memory, and the others are measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import plan

SCRIPT = """
import json, os, sys
group, workspace, asked = sys.argv[1:]
open(group + "/cgroup.procs", "w").write(str(os.getpid()))
import benchbox
frame = benchbox.run(json.loads(asked), workspace=workspace, workers=1, reports=[])
print(json.dumps({f"{q:g}": [s, r] for q, s, r in zip(frame["quality"], frame["status"], frame["reason"])}))
"""


@pytest.mark.usefixtures("evil")
def test_a_kill_by_the_kernel_is_memory(tmp_path: Path, pictures: Path) -> None:
    for picture in [*pictures.iterdir()][1:]:
        picture.unlink()
    group = Path("/sys/fs/cgroup/memory/benchbox-test-oom")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(1200 << 20))
    except OSError:
        pytest.skip("control groups cannot be made here")
    asked = plan(pictures, {"id": "eat"}, limits={"point_seconds": 60, "memory_mib": 100_000})
    try:
        arguments = [sys.executable, "-c", SCRIPT, str(group), str(tmp_path / "runs"), json.dumps(asked)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    finally:
        group.rmdir()
    found = json.loads(done.stdout)
    assert {quality: status for quality, (status, _) in found.items()} == {"1": "ok", "2": "memory", "3": "ok"}
    assert "for want of memory" in found["2"][1]
