"""``--quick``: the most telling pictures and spread qualities first, and verdicts while points come in."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from small_runs import Said, Stopped, plan

import benchbox
from benchbox import image, registry
from benchbox.cli.quick import verdicts
from benchbox.errors import PlanError, RunInterrupted
from benchbox.execution.executor import OnPoints
from benchbox.fork_server import ForkServer
from benchbox.plan import Job, Resolved, resolve, settle
from benchbox.session import Silent, execute, local_executor
from benchbox.store import Store, Workspace


@pytest.fixture
def rising(tmp_path: Path, photo: np.ndarray) -> Path:
    """Ten pictures, each with more detail than the one before; names do not say so."""
    folder = tmp_path / "rising"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    for k in range(10):
        part = photo[:48, :48] // 64 * 64
        part = np.where(np.arange(48)[:, None, None] < 5 * k, noise, part).astype(np.uint8)
        image.write_png(folder / f"{(3 * k) % 10}.png", part)
    return folder


class Recorder:
    """An executor that only writes down what it is asked."""

    workers = threads = 1
    hosts: ClassVar[dict[str, dict[str, object]]] = {}

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Callable[[Job], Job | None]) -> None:
        self.jobs += jobs


def resolved(folder: Path, *codecs: dict[str, object], **more: object) -> Resolved:
    settled, base = settle(plan(folder, *codecs, **more))
    return resolve(settled, registry.load(), base)


def nothing(store: Store) -> list[str]:
    return []


def test_four_pictures_spread_over_detail_come_first(tmp_path: Path, rising: Path) -> None:
    recorder = Recorder()
    asked = resolved(rising, {"id": "jpeg", "qualities": "10:90:10"})
    execute(asked, registry.load(), Workspace.at(tmp_path / "runs"), recorder, Silent(), verdicts=nothing)
    by_detail = [f"{(3 * k) % 10}.png" for k in range(10)]
    first = [(job.sample.sample, [point.quality for point in job.points]) for job in recorder.jobs[:4]]
    assert first == [(by_detail[k], [10, 90, 40, 60]) for k in (0, 9, 3, 6)]
    assert [job.sample.sample for job in recorder.jobs[4:10]] == [by_detail[k] for k in (1, 4, 7, 2, 5, 8)]
    assert {len(job.points) for job in recorder.jobs[4:10]} == {4}


def test_a_whole_run_measures_the_ends_first(tmp_path: Path, rising: Path) -> None:
    recorder = Recorder()
    asked = resolved(rising, {"id": "jpeg", "qualities": "10:90:10"})
    execute(asked, registry.load(), Workspace.at(tmp_path / "runs"), recorder, Silent())
    assert len(recorder.jobs) == 10
    assert [point.quality for point in recorder.jobs[0].points] == [10, 90, 50, 30, 70, 20, 40, 60, 80]


def test_pictures_of_several_formats_come_in_the_order_of_their_digests(tmp_path: Path, rising: Path) -> None:
    from PIL import Image

    Image.open(rising / "0.png").save(rising / "0.bmp")
    recorder = Recorder()
    asked = resolved(rising, {"id": "jpeg", "qualities": [50]})
    execute(asked, registry.load(), Workspace.at(tmp_path / "runs"), recorder, Silent(), verdicts=nothing)
    digests = sorted(job.sample_sha256 for job in recorder.jobs)
    assert recorder.jobs[0].sample_sha256 == digests[0]


def test_a_search_has_no_quick_form(tmp_path: Path, rising: Path) -> None:
    asked = resolved(rising, {"id": "jpeg"}, match=["bpp=1"])
    with pytest.raises(PlanError, match="--quick and match exclude each other"):
        execute(asked, registry.load(), Workspace.at(tmp_path / "runs"), Recorder(), Silent(), verdicts=nothing)


@pytest.mark.slow
def test_a_stopped_run_compares_with_what_the_run_was(
    tmp_path: Path, rising: Path, mine: Callable[[int], None]
) -> None:
    place, said = Workspace.at(tmp_path / "runs"), Said()

    def go(count: int | None) -> None:
        """Measure with --quick; after `count` jobs, if given, stopped with Ctrl-C."""
        now = resolved(rising, {"id": "mine"}, {"id": "jpeg", "qualities": "10:90:20"})
        looks = partial(verdicts, run="t", metrics=now.metrics)
        with ForkServer() as server, pytest.raises(RunInterrupted) if count else contextlib.nullcontext():
            inner = local_executor(now.plan, place, 1, server)
            execute(now, registry.load(), place, Stopped(inner, count) if count else inner, said, verdicts=looks)

    go(8)  # four pictures with two codecs
    text = "\n".join(said.lines)
    assert "mine against jpeg, folder:rising, psnr: " in text
    assert re.search(r"undecided: \d pictures with a BD-rate; an interval needs 5", text)
    go(None)
    said.lines.clear()
    mine(30)
    go(7)
    text = "\n".join(said.lines)
    assert "what t was stays as t~1" in text
    assert "mine against t~1, folder:rising, psnr: +18." in text
    assert re.search(r"worse, \d pictures", said.lines[-1])
    assert "jpeg against" not in text
    table = benchbox.compare("t~1", "t", codecs=["mine"], workspace=place.folder)
    assert list(table["verdict"]) == ["worse"]
    assert table["points"].iloc[0] == 28
