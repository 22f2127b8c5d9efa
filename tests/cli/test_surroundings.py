"""Where the command runs: without standard streams, home folder or user name, in folders whose names are not UTF-8."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchbox import image, machine

GOLDEN = Path(__file__).parents[1] / "golden" / "workspace-1"
RUN = ["run", "--name", "r", "--dataset", "folder:p", "--codec", "jpeg@50", "--metric", "psnr", "--no-report"]


@pytest.fixture
def here(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one picture, and the current one."""
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", photo)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``benchbox ...`` in a shell; ``$B`` is the command."""
    own = {"B": f"{sys.executable} -m benchbox", "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(["bash", "-c", command], env=own | environment, capture_output=True, check=False)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-", "2</dev/null", "1</dev/null"])
def test_closed_streams_end_nothing(closed: str, here: Path) -> None:
    done = shell(f"$B {' '.join(RUN)} {closed}")
    assert done.returncode == 0, done
    assert b"1 ok" in done.stdout or ">&-" in closed.replace("2>&-", "") or closed.startswith("1")
    assert (here / "runs" / "store.sqlite").is_file()


@pytest.mark.parametrize("command", ["list codecs", "list runs --workspace runs", "--help"])
def test_a_full_or_closed_pipe_is_one_line(command: str, here: Path) -> None:
    shutil.copytree(GOLDEN, here / "runs")
    done = shell(f"$B {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device; make room" in done.stderr
    assert shell(f"$B {command} | true").stderr == b""


@pytest.mark.parametrize("command", [" ".join(RUN), "list runs", "report r"])
def test_in_a_folder_that_is_gone(command: str, here: Path) -> None:
    script = f"{sys.executable} -c 'from benchbox.cli.main import main; main()' {command}"
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {script}",
                 PYTHONPATH=os.pathsep.join(path for path in sys.path if os.path.isabs(path)))  # fmt: skip
    assert done.stderr.decode().count("\n") == 1, done.stderr
    assert b"the current folder is gone; change to one that exists" in done.stderr
    assert done.returncode != 0


def test_without_home_and_user(here: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may become an unknown user")
    here.chmod(0o777)
    (here / "my.toml").write_bytes(b'\xef\xbb\xbfid = "copy"\nlossless = true\nencode = ["cp", "{input}", "{output}"]\n'
                                   b'decode = ["cp", "{input}", "{output}"]\n')  # fmt: skip
    capabilities = "-all,+dac_read_search"
    become = f"setpriv --reuid=12345 --regid=12345 --clear-groups --bounding-set={capabilities} " \
             f"--inh-caps={capabilities} --ambient-caps={capabilities}"
    done = shell(f"{become} $B list codecs", BENCHBOX_EXEC=str(here / "my.toml"))
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.decode().splitlines()}
    assert lines["copy"].endswith("available")
    assert lines["resnet"].endswith("available")
    assert "benchbox_metrics" in shell(f"{become} $B list plugins").stdout.decode()
    assert not (here / "~").exists()


@pytest.mark.parametrize(("home", "made"), [("", True), ("/proc/none", True), ("{}", False)])
def test_numba_gets_a_folder_where_home_cannot_be_written(
    home: str, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home.format(tmp_path) or "~")
    machine.provide_numba_cache()
    found = os.environ.pop("NUMBA_CACHE_DIR", None)
    assert (found is not None) == made
    if found is not None:
        assert Path(found).stat().st_mode & 0o077 == 0


WORKS: dict[str, Callable[[str], list[str]]] = {
    "list runs": lambda where: [f"cd {where}/work && $B list runs"],
    "report": lambda where: [f"$B report past --format tables --workspace {where}/work/runs",
                             f"$B export past --workspace {where}/work/runs --output {where}/x.csv",
                             f"cd {where}/work && $B publish past --output ../pub"],
    "encode": lambda where: [f"$B encode {where}/a.png -c jpeg -o {where}/b.jpg",
                             f"$B decode {where}/b.jpg -o {where}/c.png"],
}  # fmt: skip


@pytest.mark.parametrize("commands", [pytest.param(lines, id=name, marks=[pytest.mark.slow] if name == "report" else [])
                                      for name, lines in WORKS.items()])
def test_folders_that_are_not_utf8_work(commands: Callable[[str], list[str]], here: Path) -> None:
    shutil.copytree(GOLDEN, here / os.fsdecode(b"w\xff") / "work" / "runs")
    shutil.copy("p/a.png", here / os.fsdecode(b"w\xff") / "a.png")
    for command in commands(f"{here}/$'w\\xff'"):
        done = shell(command)
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""


@pytest.mark.parametrize("command", ["cd $'w\\xff' && $B run --codec jpeg@50 --dataset folder:. --no-report",
                                     "$B run --codec jpeg@50 --dataset folder:$'w\\xff' --no-report",
                                     "$B run $'w\\xff'/plan.toml", "$B run --codec $'jpeg\\xff' --dataset samples"])
def test_what_cannot_be_kept_is_refused_with_the_remedy(command: str, here: Path) -> None:
    folder = here / os.fsdecode(b"w\xff")
    folder.mkdir()
    shutil.copy("p/a.png", folder / "a.png")
    (folder / "plan.toml").write_text('dataset = "folder:."\n[[codec]]\nid = "jpeg"\n')
    done = shell(command)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"not UTF-8; rename it" in done.stderr


WITHIN = """
import multiprocessing, sys, threading
import benchbox
plan = {"name": sys.argv[1], "dataset": "folder:p", "metrics": ["psnr"], "codec": [{"id": "jpeg", "qualities": [70]}]}
def work(_): return benchbox.run(plan, reports=[], workers=1)["status"].tolist()
if sys.argv[1] == "pool":
    with multiprocessing.get_context("fork").Pool(1) as pool: print(pool.map(work, [0]))
else:
    thread = threading.Thread(target=lambda: print([work(0)]))
    thread.start(); thread.join()
"""


@pytest.mark.parametrize("kind", ["pool", "thread"])
def test_a_run_within_a_daemonic_process_or_a_thread(kind: str, here: Path) -> None:
    (here / "within.py").write_text(WITHIN)
    done = shell(f"{sys.executable} within.py {kind}")
    assert (done.stdout, done.returncode) == (b"[['ok']]\n", 0), done.stderr
