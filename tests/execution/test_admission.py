"""A worker elsewhere is asked whether it has what a run needs: each thing that it lacks is named, with a remedy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_runs import plan

from benchbox import image, machine, registry
from benchbox.execution.admission import LEAST_SHARE, lacking, needs_of, outer_faults
from benchbox.execution.run_processes import RunProcesses
from benchbox.plan import Job, Resolved, entries, make_plan, missing_jobs, resolve

ENOUGH = {"share": LEAST_SHARE, "slots": 2, "memory": 2 * LEAST_SHARE, "gpus": 0}


@pytest.fixture
def run(tmp_path: Path, pictures: Path) -> tuple[Resolved, list[Job]]:
    """A plan of two codecs on pictures of a folder, and its jobs."""
    asked = plan(pictures, {"id": "jpeg", "qualities": [50]}, {"id": "webp", "qualities": [50]})
    resolved = resolve(make_plan(asked, "plan"), registry.load(), tmp_path)
    digests = {(d.id, s.id): image.digest(s.load()) for d in resolved.datasets for s in d.samples}
    return resolved, list(missing_jobs(resolved, digests, list(entries(resolved, digests))))


@pytest.fixture
def needs(tmp_path: Path, run: tuple[Resolved, list[Job]]) -> dict[str, Any]:
    """What the run needs; its token is there."""
    token = tmp_path / "runs" / "spool" / "token-1"
    token.parent.mkdir(parents=True)
    token.write_text(token.name)
    return needs_of(*run, token)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[RunProcesses]:
    settings = {"streams": str(tmp_path / "s"), "spool": str(tmp_path), "plugins": [], "seconds": 60, "memory": 4 << 30}
    processes = RunProcesses(settings, 1)
    yield processes
    processes.close()


def test_what_plugins_tell(processes: RunProcesses, needs: dict[str, Any], tmp_path: Path) -> None:
    assert processes.inspect(needs) == []
    dataset, sample, file, sha256 = needs["pictures"][0]
    wrong = copy.deepcopy(needs)
    wrong["codecs"]["jpeg"][2] = "Pillow 0.1"
    wrong["codecs"]["nowhere"] = ["nowhere", "{}", "1"]
    wrong["metrics"]["psnr"] = "0"
    wrong["pictures"] = [[dataset, sample, file, "0" * 64], ["folder:/gone", "a", "/gone/a.png", sha256],
                         [dataset, sample, file, sha256]]  # fmt: skip
    faults = processes.inspect(wrong)
    assert [fault.partition(": ")[0] for fault in faults] == [
        "jpeg", "nowhere", "metric psnr", f"data set {dataset}", "data set folder:/gone"]  # fmt: skip
    assert "the plan was made with 'Pillow 0.1'; install the same versions on every machine" in faults[0]
    assert "no codec is called 'nowhere'" in faults[1]
    assert "its pixels are not those that were planned" in faults[3]
    assert all("; put the same pictures at the same path on every machine" in fault for fault in faults[3:])


def test_what_is_seen_without_plugins(needs: dict[str, Any]) -> None:
    assert list(outer_faults(needs, **ENOUGH)) == []
    for lack, fault in [({"share": LEAST_SHARE // 2}, "start it with fewer --nthreads"),
                        ({"memory": LEAST_SHARE}, "lower memory_mib in"),
                        ({"gpus": 1 + len(machine.gpus())}, "start it without --resources GPU")]:  # fmt: skip
        (found,) = outer_faults(needs, **ENOUGH | lack)
        assert fault in found
    (found,) = outer_faults(needs | {"benchbox": "0.0"}, **ENOUGH)
    assert found.endswith("the run 0.0; install the same on every machine")


@pytest.mark.parametrize("token", ["gone", "another"])
def test_a_workspace_that_is_not_shared(needs: dict[str, Any], token: str) -> None:
    file = Path(needs["token"])
    file.unlink() if token == "gone" else file.write_text("another run's")
    (found,) = outer_faults(needs, **ENOUGH)
    assert f"does not share the workspace {file.parent.parent}" in found
    assert "; mount one folder at that path on every machine" in found


def test_a_picture_that_a_worker_lacks_or_that_has_changed(run: tuple[Resolved, list[Job]], pictures: Path) -> None:
    """It is the worker that is at fault as long as this process has the picture that was planned."""
    resolved, jobs = run
    job = next(job for job in jobs if job.sample.sample == "1.png")
    answers = [{"key": "1", "changed": ""}, {"key": "2", "changed": "1.png: cannot be opened"}]
    assert lacking(resolved, job, answers) == (f"data set folder:{pictures}: 1.png: cannot be opened; "
                                               "put the same pictures at the same path on every machine")  # fmt: skip
    assert lacking(resolved, job, answers[:1]) == ""
    (pictures / "1.png").write_bytes((pictures / "2.png").read_bytes())
    assert lacking(resolved, job, answers) == ""
    (pictures / "1.png").unlink()
    assert lacking(resolved, job, answers) == ""
