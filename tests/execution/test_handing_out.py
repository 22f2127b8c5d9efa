"""Which worker of a cluster gets which job, and what becomes of the jobs of a worker that is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from benchbox.execution.handing_out import MOST_JOBS, MOST_LOSSES, TASK_SECONDS, Given, Member, Work
from benchbox.plan import Job, Point, SampleName


def job(name: str, points: int = 1, device: str = "cpu") -> Job:
    keys = tuple(Point(f"{name}{k}", k, ()) for k in range(points))
    return Job(SampleName("d", name), "", "c", name[0], "{}", "", device, keys)


def member(slots: int = 2, gpus: float = 0) -> Member:
    return Member("tcp://1", "host", slots, gpus)


def keys(task: Sequence[Given]) -> list[str]:
    return [point.key for given in task for point in given.job.points]


def give(work: Work, to: Member) -> list[Given]:
    """Give a worker its next task, if it is free."""
    task = work.next_task(to) if to.free(1) else []
    to.given |= {given.name: given for given in task}
    for given in task:
        given.future = task
    return task


def test_jobs_that_are_known_to_be_short_make_one_task() -> None:
    work, to = Work([job(f"a{k}") for k in range(100)], lambda job: job), member()
    first = work.next_task(to)
    assert len(first) == 1
    work.took(first[0], TASK_SECONDS / 8)
    assert len(work.next_task(to)) == 8
    for _ in range(50):
        work.took(first[0], 1e-6)
    assert len(work.next_task(to)) == MOST_JOBS
    work.took(first[0], 10)
    assert len(work.next_task(to)) == 1


def test_a_device_is_given_one_job_and_other_jobs_pass_by() -> None:
    work = Work([job("a", device="cuda"), job("b", device="cuda:1"), job("c")], lambda job: job)
    plain, card = member(), member(gpus=1)
    assert keys(give(work, plain)) == ["c0"]
    assert give(work, plain) == []
    assert keys(give(work, card)) == ["a0"]
    assert give(work, card) == []
    card.given.clear()
    assert keys(give(work, card)) == ["b0"]
    assert work.waiting() is None


def test_what_is_given_up_is_passed_over() -> None:
    work = Work([job("a"), job("b")], lambda job: None if job.label == "a" else job)
    assert keys(work.next_task(member())) == ["b0"]


def test_a_point_is_blamed_when_it_was_alone_on_lost_workers() -> None:
    """The point that a job was at gets a worker for itself; what the job has left and its neighbours go on."""
    work, to = Work([job("a", 3), job("b")], lambda job: job), member()
    (first,), (other,) = give(work, to), give(work, to)
    first.done.add("a0")
    assert work.lost(first) is None
    assert work.lost(other) is None
    for losses in range(1, MOST_LOSSES):
        to = member()
        (suspect,) = give(work, to)
        if keys([suspect]) == ["b0"]:  # alone too; it is not lost again
            to = member()
            (suspect,) = give(work, to)
        assert keys([suspect]) == ["a1"]
        assert suspect.losses == losses
        assert not to.free(2)
        blamed = work.lost(suspect)
    assert blamed is not None
    assert keys([blamed]) == ["a1"]
    assert keys(give(work, member())) in (["a2"], ["b0"])


@pytest.mark.parametrize("slots", [1, 3])
@drawn(lost=st.lists(st.booleans(), max_size=30))
def test_every_point_is_finished_or_blamed_once(slots: int, lost: list[bool]) -> None:
    work, fates = Work([job(f"{name}x", 2) for name in "abcd"], lambda job: job), list(lost)
    ended: list[str] = []
    while work.waiting() is not None:
        to = member(slots)
        while give(work, to):
            pass
        dies = fates.pop() if fates else False
        for one in list(to.given.values()):
            blamed = work.lost(one) if dies else None
            ended += keys([blamed]) if blamed is not None else [] if dies else keys([one])
    assert sorted(ended) == sorted(f"{name}x{k}" for name in "abcd" for k in range(2))
