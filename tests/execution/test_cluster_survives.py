"""A run on four workers that are machines of their own as far as the system can make them: a host name, a process
table and mounts each. Two do not fit, one is killed, one comes late, and the scheduler is killed once. Some encodings
wait until the test lets them go on, so that each of this finds work left, however fast the machine is."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from clusters import gated
from machines import ALONE, Machines, kill, running
from small_runs import go, plan
from waiting import until

import benchbox
from benchbox.errors import StoreError
from benchbox.plan.plan import make_plan, plan_text

pytest.importorskip("distributed", reason='dask is not installed; pip install "benchbox[dask]"')

SAME = ["key", "status", "bytes", "stream_sha256", "pixels_sha256", "psnr", "reason"]


def module_file(name: str) -> Path:
    """Where a module is installed, which need not be this checkout."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


@pytest.mark.slow
@pytest.mark.skipif(subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0,
                    reason="needs `unshare --uts --mount --pid`, which only root may call here")  # fmt: skip
def test_a_run_survives_its_cluster(tmp_path: Path, pictures: Path, loud: Path, machines: Machines) -> None:
    asked = plan(pictures, {"id": "jpeg", "qualities": [10, 50]}, {"id": "webp", "qualities": [50]},
                 {"id": "resnet", "qualities": [1]}, {"id": "loud", "qualities": [1, 2, 7, 8, 9]},
                 plugins=[str(loud)], limits={"point_seconds": 3000})  # fmt: skip
    go_on = gated(loud)
    plan_file, far = tmp_path / "plan.toml", tmp_path / "far"
    plan_file.write_text(plan_text(make_plan(asked, "plan")), encoding="utf-8")
    far.mkdir()
    psnr, other = module_file("benchbox_metrics.psnr"), tmp_path / "psnr.py"
    other.write_text(psnr.read_text().replace('version="', 'version="another '))

    scheduler = machines.scheduler()
    machines.worker("other", f"mount --bind {other} {psnr}")
    machines.worker("blind", f"mount -t tmpfs none {far}")
    doomed = machines.worker("doomed")
    with running(machines, plan_file) as client:
        until(lambda: machines.log("client").count("cannot take part") == 2, "what two workers lack")
        until(lambda: "doomed" in hosts(far), "a first point")
        kill(doomed)
        go_on(9)
        machines.worker("late")
        until(lambda: "late" in hosts(far), "a point of the late worker")
        kill(scheduler)
        assert client.wait(600) == 1
    said = machines.log("client").splitlines()
    assert said[-1] == (f"benchbox: the dask scheduler at {machines.address} is gone; what was measured is kept. Start "
                        "it and run the same command again to continue")  # fmt: skip
    refused = sorted(line.partition(" on ")[2] for line in said if "cannot take part" in line)
    assert [line.partition(" ")[0] for line in refused] == ["blind", "other"]
    assert f"does not share the workspace {far}" in refused[0]
    assert "metric psnr: it has version 'another 1', the plan was made with '1'; install the same" in refused[1]
    kept = len(measured(far))

    for quality in (7, 8):
        go_on(quality)
    machines.scheduler()
    machines.worker("again")
    with running(machines, plan_file) as client:
        assert client.wait(600) == 1  # the codec that kills its worker
    assert 0 < kept < len(measured(far))
    seen, near = benchbox.load("t", far), go(tmp_path, asked)
    assert seen[SAME].equals(near[SAME])
    assert hosts(far) == {"doomed", "late", "again"}
    assert not list((far / "spool").iterdir())


def measured(workspace: Path) -> pd.DataFrame:
    """The points that are measured; none before the run has begun."""
    try:
        return benchbox.load("t", workspace).query("status == 'ok'")
    except StoreError:
        return pd.DataFrame({"host": []})


def hosts(workspace: Path) -> set[str]:
    """The machines that measured points."""
    return set(measured(workspace)["host"])
