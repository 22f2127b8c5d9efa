"""The same jobs on a dask cluster give the same results, whatever plugins, workers and the scheduler do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from clusters import Here
from plugin_files import TOY
from small_runs import go, plan
from waiting import until

import benchbox
from benchbox import machine, registry
from benchbox.errors import BenchboxError, UsageError
from benchbox.plan import make_plan, resolve
from benchbox.plugin_file import plugin_files
from benchbox.session import Progress, Silent, execute
from benchbox.store import Workspace

pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')

from benchbox.execution.cluster import Cluster
from benchbox.execution.dask import DaskExecutor

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed warns of its own faults

SAME = ["key", "status", "bytes", "stream_sha256", "pixels_sha256", "psnr", "reason"]

def far(here: Here, tmp_path: Path, asked: dict[str, Any], progress: Progress | None = None) -> Any:
    """Run a plan on a cluster in ``tmp_path/far``; its results."""
    made = make_plan(asked, "plan")
    plugins, place = registry.load(files=plugin_files(made.plugins)), Workspace.at(tmp_path / "far")
    with here.open() as cluster:
        resolved = resolve(made, plugins, tmp_path, cluster.has_gpu)
        executor = DaskExecutor(cluster, resolved, place, plugins.files, grace=0.5)
        execute(resolved, plugins, place, executor, progress or Silent())
    return benchbox.load("t", tmp_path / "far")


class AtFirst(Silent):
    """Does something when the first point has come."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self._deed: Callable[[], Any] | None = deed

    def step(self, status: str) -> None:
        deed, self._deed = self._deed, None
        if deed is not None:
            deed()


def ends(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def working() -> set[int]:
    """Ids of the processes below this one."""
    return {process.pid for process in psutil.Process().children(recursive=True) if process.status() != "zombie"}


def test_a_cluster_gives_what_local_processes_give(
    tmp_path: Path, pictures: Path, loud: Path, dask_here: Callable[..., Here]
) -> None:
    """Codecs print and kill their worker; rows tell where they were measured; what was started ends with the run."""
    asked = plan(pictures, {"id": "jpeg", "qualities": [10, 50, 90]}, {"id": "loud", "qualities": [1, 2, 3]},
                 plugins=[str(loud)])  # fmt: skip
    here, before = dask_here(), working()  # among them what other tests' libraries keep
    seen = far(here, tmp_path, asked)
    near = go(tmp_path, asked)
    assert set(seen["status"]) == {"ok", "crashed"}
    assert seen[SAME].equals(near[SAME])
    assert (seen["host"].dropna() == machine.host()).all()
    assert not list((tmp_path / "far" / "spool").iterdir())
    assert here.said == []
    assert ends(lambda: working() <= before)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 2])
def test_workers_may_come_later(
    seconds: int, tmp_path: Path, pictures: Path, dask_here: Callable[..., Here]
) -> None:
    """Two tasks ask the first one that comes: what any worker may run, which is withdrawn while plugins are loaded for
    it, and its own."""
    here, lingering = dask_here(n_workers=0, threads_per_worker=1), tmp_path / "lingering.py"
    lingering.write_text(f"import time\ntime.sleep({seconds})\n{TOY}", encoding="utf-8")
    asked = plan(pictures, {"id": "jpeg", "qualities": [50]}, {"id": "toy", "qualities": [3]}, plugins=[str(lingering)])

    def come() -> None:
        until(lambda: here.said, "a run that waits")
        here.cluster.scale(1)

    threading.Thread(target=come).start()
    assert (far(here, tmp_path, asked)["status"] == "ok").all()
    (session,) = json.loads((tmp_path / "far" / "t" / "environment.json").read_text())["sessions"]
    assert session["workers"] == 1
    assert here.said == ["dask: no worker yet; waiting for one (Ctrl-C stops)"]


@pytest.mark.slow
def test_what_is_lost_with_a_worker_is_given_to_others(
    tmp_path: Path, pictures: Path, loud: Path, dask_here: Callable[..., Here]
) -> None:
    here = dask_here()
    asked = plan(pictures, {"id": "loud", "qualities": [1, 7, 8, 9]}, plugins=[str(loud)])
    frame = far(here, tmp_path, asked, AtFirst(here.replace_worker))
    assert (frame["status"] == "ok").all()
    assert here.said == []


BLIND = '''
"""A data set of two pictures, of which the process that comes to the second one first cannot read it."""
import os
import numpy
from benchbox import Dataset, DatasetInfo, Sample, hookimpl
from benchbox.errors import ImageError

GATE = r"{gate}"

class Picture(Sample):
    def __init__(self, id): self.id = id
    def sha256(self): return None
    def load(self):
        if self.id == "b" and os.getpid() != {client}:
            if not os.path.exists(GATE):
                open(GATE, "w").write(str(os.getpid()))
            if open(GATE).read() == str(os.getpid()):
                raise ImageError("b: stale file handle")
        return numpy.full((32, 32, 3), ord(self.id), "u1")

class Info(DatasetInfo):
    def open(self, argument): return Dataset("acme", "Acme", (Picture("a"), Picture("b")))

@hookimpl
def benchbox_datasets(): return [Info(id="acme", title="Acme")]
'''


def test_a_worker_that_lacks_a_picture_is_set_aside(
    tmp_path: Path, pictures: Path, dask_here: Callable[..., Here]
) -> None:
    """Another one measures its points. The picture that it was asked for before is there."""
    blind = tmp_path / "blind.py"
    blind.write_text(BLIND.format(gate=tmp_path / "gate", client=os.getpid()), encoding="utf-8")
    here = dask_here(2, threads_per_worker=1)
    asked = plan(pictures, {"id": "jpeg", "qualities": [50, 90]}, dataset="acme", plugins=[str(blind)])
    assert set(far(here, tmp_path, asked)["status"]) == {"ok"}
    (said,) = here.said
    assert "cannot take part: data set acme: b: stale file handle; put the same pictures at the same path" in said


@pytest.mark.skipif(bool(machine.gpus()), reason="a GPU answers here")
def test_a_device_that_is_promised_and_not_there(
    tmp_path: Path, pictures: Path, dask_here: Callable[..., Here]
) -> None:
    """``device = "auto"`` is settled by what the workers offer, and not by this machine."""
    here = dask_here(resources={"GPU": 1})
    with pytest.raises(BenchboxError, match="none of the 1 workers of the dask cluster can take part"):
        far(here, tmp_path, plan(pictures, {"id": "resnet", "qualities": [1], "device": "auto"}))
    assert set(benchbox.load("t", tmp_path / "far")["device"].dropna()) <= {"cuda"}
    assert len(here.said) == 1
    assert "cannot take part: offers 1 GPU, and 0 answer to nvidia-smi; " in here.said[0]


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    no_answer = pytest.raises(UsageError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1")
    with no_answer, Cluster("tcp://127.0.0.1:1", print, timeout=0.5):
        pass


@pytest.mark.parametrize("address", [
    "", "nonsense", "LOCAL", "10.0.0.1", "tcp://host", "tcp://host:port", "tcp://:8786", "tcp://host:0", "tcp://host:70000",
    "http://host:8787", "tcp://[::1", "tcp://", "://:1",
])  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_started(address: str) -> None:
    with pytest.raises(UsageError) as caught, Cluster(address, print, timeout=0.5):
        pass
    assert str(caught.value).startswith(f"--dask '{address}' is no address of a dask scheduler; write it as in tcp://")


@pytest.mark.parametrize(("more", "flags", "said"), [
    ("[timing]\nrepeats = 2\n", [], "[timing] and --dask exclude each other: times are of one machine"),
    ("", ["--workers", "2"], "--workers and --dask exclude each other: a cluster's worker measures as many points"),
])  # fmt: skip
def test_what_has_no_meaning_on_a_cluster_is_refused(more: str, flags: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(f'dataset = "samples"\n[[codec]]\nid = "jpeg"\n{more}')
    command = [sys.executable, "-m", "benchbox", "run", "t.toml", "--dask", "tcp://127.0.0.1:1", *flags]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"benchbox: {said}")
