"""Points from coarse to fine: a run that is stopped leaves curves of the right shape."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbox.plan import coarse_first, coarse_to_fine, entries, make_plan, missing_jobs, quick_stages, resolve
from benchbox.registry import load


@pytest.mark.parametrize(
    ("count", "spread", "order"),
    [(0, 2, []), (1, 4, [0]), (2, 4, [0, 1]), (3, 4, [0, 2, 1]), (5, 2, [0, 4, 2, 1, 3]),
     (10, 4, [0, 9, 3, 6, 1, 4, 7, 2, 5, 8])],
)  # fmt: skip
def test_the_order(count: int, spread: int, order: list[int]) -> None:
    assert coarse_to_fine(count, spread) == order


@given(st.integers(2, 300), st.integers(2, 6), st.data())
def test_wherever_it_stops_the_whole_axis_is_covered(count: int, spread: int, data: st.DataObject) -> None:
    order = coarse_to_fine(count, spread)
    assert sorted(order) == list(range(count))
    done = sorted(order[: data.draw(st.integers(min(spread, count), count))])
    gaps = [b - a for a, b in pairwise(done)]
    assert done[0] == 0
    assert done[-1] == count - 1
    assert max(gaps) <= 2 * min(gaps) + 1


def test_a_job_keeps_its_points_and_a_quick_run_all_jobs(tmp_path: Path) -> None:
    table = {"name": "t", "dataset": "samples", "metrics": ["psnr"],
             "codec": [{"id": "jpeg", "qualities": "10:90:10"}, {"id": "png"}]}  # fmt: skip
    resolved = resolve(make_plan(table, "plan"), load(), tmp_path)
    digests = {(d.id, s.id): s.id for d in resolved.datasets for s in d.samples}
    jobs = list(missing_jobs(resolved, digests, list(entries(resolved, digests))))
    ordered = list(coarse_first(jobs, resolved))
    assert [point.quality for point in ordered[0].points] == [10, 90, 50, 30, 70, 20, 40, 60, 80]
    assert [job.only(sorted(job.points, key=lambda p: p.quality or 0)) for job in ordered] == jobs

    stages = quick_stages(jobs, resolved, {place: k for k, place in enumerate(digests)})
    first = [(job.label, job.sample.sample, [p.quality for p in job.points]) for job in stages[0]]
    pictures = [sample for _, sample in digests][:4]
    assert first == [item for sample in pictures
                     for item in (("jpeg", sample, [10, 90, 40, 60]), ("png", sample, [None]))]  # fmt: skip
    keys = [point.key for stage in stages for job in stage for point in job.points]
    assert len(keys) == len(set(keys))
    assert set(keys) == {point.key for job in jobs for point in job.points}
