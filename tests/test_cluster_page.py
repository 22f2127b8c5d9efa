"""docs/cluster.md: its plan, scripts and manifests run as they stand there, as far as one machine can."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pages import Block, blocks, environment, run_page

import benchbox
from benchbox import image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "cluster.md"


def block(title: str) -> str:
    (found,) = [one.text for one in blocks(PAGE) if one.title == title]
    return found


def photographs(folder: Path, photo: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for k in range(5):
        part = photo[2 * k : 2 * k + 90, 8 * k : 8 * k + 110]
        image.write_png(folder / f"{k}.png", np.ascontiguousarray(part))


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """What of a frame does not depend on where and when it was measured."""
    return frame[["sample", "codec", "quality", "status", "bytes", "psnr", "key", "stream_sha256", "pixels_sha256"]]


@pytest.mark.slow
def test_the_array_and_the_matrix_give_what_one_machine_gives(tmp_path: Path, photo: np.ndarray) -> None:
    here = tmp_path / "work"
    photographs(here / "pictures", photo)
    run_page(PAGE, tmp_path)
    matrix = yaml.safe_load(block("matrix.yml"))["jobs"]
    for n in matrix["measure"]["strategy"]["matrix"]["shard"]:
        shell(here, [step.replace("${{ matrix.shard }}", str(n)) for step in steps(matrix["measure"])])
    shell(here, steps(matrix["unite"]))
    whole = benchbox.run(here / "plan.toml", workspace=tmp_path / "whole", workers=1, reports=[])
    assert set(whole["status"]) == {"ok"}
    assert len(whole) == 20
    for workspace in ("runs", "united"):
        pd.testing.assert_frame_equal(measured(benchbox.load("plan", here / workspace)), measured(whole))
        assert (here / workspace / "plan" / "report" / "index.html").exists()


def test_a_share_with_points_that_failed_costs_the_matrix_nothing() -> None:
    """Its exit code is 1, and all is united and handed over still."""
    measure, unite = (yaml.safe_load(block("matrix.yml"))["jobs"][name] for name in ("measure", "unite"))
    assert measure["strategy"]["fail-fast"] is False
    uploads = [step for job in (measure, unite) for step in job["steps"] if "upload" in step.get("uses", "")]
    assert [one["if"] for one in (*uploads, unite)] == ["${{ !cancelled() }}"] * 3
    for job, upload in zip((measure, unite), uploads, strict=True):
        assert steps(job)[-1].endswith(f" --workspace {upload['with']['path']}")


def steps(job: dict[str, Any]) -> list[str]:
    """The commands of a job but that which installs benchbox, which is here."""
    return [step["run"] for step in job["steps"] if "run" in step and "pip install" not in step["run"]]


def shell(folder: Path, commands: list[str]) -> None:
    for command in commands:
        done = subprocess.run(["bash", "-e", "-c", command], cwd=folder, env=environment(folder.parent / "bin"),
                              capture_output=True, text=True, check=False, timeout=600)  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
def test_the_manifest_starts_a_cluster_and_a_run_on_it(tmp_path: Path, photo: np.ndarray) -> None:
    """Its commands, with the folder of the volume, the service's address and the limits of this machine."""
    pytest.importorskip("distributed")
    cluster, job = yaml.safe_load_all(block("kubernetes.yaml"))
    assert (cluster["kind"], job["kind"]) == ("DaskCluster", "Job")
    service = cluster["spec"]["scheduler"]["service"]
    assert service["selector"]["dask.org/cluster-name"] == cluster["metadata"]["name"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    address = f"tcp://{cluster['metadata']['name']}-scheduler:{service['ports'][0]['port']}"  # as the operator names it
    assert address in container["command"]
    photographs(tmp_path / "pictures", photo)
    (tmp_path / "plan.toml").write_text(block("plan.toml"))
    here = f"tcp://127.0.0.1:{(port := free_port())}"
    given = {"/data": str(tmp_path), address: here, "$(DASK_WORKER_NAME)": "worker", "16GiB": "4GiB"}

    def local(arguments: list[str], *more: str) -> list[str]:
        for old, new in given.items():
            arguments = [argument.replace(old, new) for argument in arguments]
        return [sys.executable, "-m", *arguments, *more]

    (scheduler,), (worker,) = (cluster["spec"][part]["spec"]["containers"] for part in ("scheduler", "worker"))
    log = (tmp_path / "log").open("wb")
    started = [subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
               for command in (local(scheduler["args"], "--port", str(port), "--no-dashboard"),
                               local(worker["args"], here, "--no-dashboard"))]  # fmt: skip
    try:
        from distributed import Client

        with Client(here, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        subprocess.run(local(container["command"], "--no-report"), cwd=tmp_path, check=True, timeout=300)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
        log.close()
    print((tmp_path / "log").read_text())
    assert set(benchbox.load("plan", tmp_path / "runs")["status"]) == {"ok"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_scripts_for_dask_jobqueue_are_python() -> None:
    scripts = [one for one in blocks(PAGE) if one.language == "python"]
    assert len(scripts) == 2
    for script in scripts:
        compile(script.text, "cluster.py", "exec")


@pytest.mark.skipif(importlib.util.find_spec("dask_jobqueue") is None, reason="dask-jobqueue is not installed here")
def test_dask_jobqueue_writes_the_script_for_a_gpu() -> None:
    scripts = [one for one in blocks(PAGE) if one.language == "python"]
    code = script_of(scripts[1]) + "\nprint(cluster.job_script()); cluster.close()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert "#SBATCH --gres=gpu:1" in done.stdout
    assert "--nthreads 1" in done.stdout
    assert "--resources GPU=1" in done.stdout


def script_of(call: Block) -> str:
    return f"from dask_jobqueue import SLURMCluster\ncluster = {call.text}"


def test_the_figures_are_those_of_the_script() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "cluster.py")], capture_output=True, text=True,
                          check=True, timeout=120)  # fmt: skip
    assert done.stdout.strip() in PAGE.read_text(encoding="utf-8")
