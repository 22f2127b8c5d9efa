"""What this process may take of the machine: cores and memory, by affinity and control groups of both versions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from waiting import until

from benchbox import machine

GIB = 1 << 30
UNLIMITED = str(2**63 - 4096)


def system(folder: Path, groups: str, files: dict[str, str]) -> Path:
    """A file system with ``proc/self/cgroup`` and the files of control groups."""
    for name, text in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{k}": v for k, v in files.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{GIB}\n", "memory.max": "max\n"}),
        ("0::/outside/of/here\n", {"memory.max": f"{GIB}\n"}),
        ("3:cpu,cpuacct:/\n2:memory:/a\n", {"memory/a/memory.limit_in_bytes": f"{GIB}\n",
                                          "memory/memory.limit_in_bytes": UNLIMITED}),
        ("2:memory:/docker/of/the/host\n", {"memory/memory.limit_in_bytes": f"{GIB}\n"}),
        ("2:memory:/\n0::/\n", {"memory/memory.limit_in_bytes": f"{GIB}\n", "unified/cgroup.procs": ""}),
    ],
    ids=["2, of a parent", "2, in a container", "1", "1, in a container", "both"],
)
def test_memory_is_the_smaller_of_group_and_machine(groups: str, files: dict[str, str], tmp_path: Path) -> None:
    assert machine.memory(system(tmp_path, groups, files)) == GIB


@pytest.mark.parametrize("limit", ["max", UNLIMITED, "", "-1"])
def test_without_a_limit_memory_is_the_machines(limit: str, tmp_path: Path) -> None:
    assert machine.memory(system(tmp_path, "0::/\n", {"memory.max": limit})) == psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a\n", {"a/cpu.max": "50000 100000\n"}, 1),
        ("0::/a\n", {"a/cpu.max": "max 100000\n", "cpu.max": "100000 100000\n"}, 1),
        ("4:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "90000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"},
         1),
        ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, None),
        ("0::/a\n", {"a/cpu.max": "9900000 100000\n"}, None),
        ("", {}, None),
    ],
)  # fmt: skip
def test_cores_are_bounded_by_the_quota(groups: str, files: dict[str, str], expected: int | None, tmp_path: Path
                                        ) -> None:  # fmt: skip
    allowed = len(os.sched_getaffinity(0))
    assert machine.cores(system(tmp_path, groups, files)) == (expected or allowed)


def test_cores_are_those_of_the_affinity() -> None:
    one = "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " \
          "from benchbox import machine; print(machine.cores(), machine.describe()['cores'])"
    done = subprocess.run([sys.executable, "-c", one], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/a\n", {"a/memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n"}),
        ("2:memory:/a\n", {"memory/a/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"}),
        ("", {"../../../proc/vmstat": "nr_free_pages 1\noom_kill 2\n"}),
        ("0::/\n", {"../../../proc/vmstat": "nr_free_pages 1\noom_kill 2\n"}),
    ],
    ids=["2", "1", "none", "2, the top"],
)
def test_kills_for_want_of_memory_are_counted(groups: str, files: dict[str, str], tmp_path: Path) -> None:
    assert machine.oom_kills(system(tmp_path, groups, files)) == 2


def test_this_system_has_numbers() -> None:
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
    assert 0 < machine.memory() <= psutil.virtual_memory().total
    assert machine.oom_kills() >= 0


def test_seconds_of_children_go_on_when_one_ends() -> None:
    before = machine.children_seconds()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    until(lambda: machine.children_seconds() > before + 0.1, "a child that computes")
    during = machine.children_seconds()
    busy.kill()
    busy.wait()
    assert machine.children_seconds() >= during


def test_a_limit_of_a_real_group_is_seen() -> None:
    group = Path("/sys/fs/cgroup/memory/benchbox-test")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(1500 << 20))
    except OSError:
        pytest.skip("control groups cannot be made here")
    code = f"import os; open('{group}/cgroup.procs', 'w').write(str(os.getpid())); " \
           "from benchbox.execution import memory_share; print(memory_share(1) >> 20)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    finally:
        group.rmdir()
    assert done.stdout.split() == ["1200"]
