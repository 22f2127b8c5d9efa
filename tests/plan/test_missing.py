"""The rows of a run and the jobs it still needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbox.plan import Have, entries, make_plan, missing_jobs, resolve
from benchbox.registry import Registry, load

SIMPLE = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg", "qualities": [10, 50, 90]}], "metrics": ["psnr"]}


@pytest.fixture(scope="module")
def plugins() -> Registry:
    return load()


def test_a_job_holds_all_missing_qualities_of_one_picture(plugins: Registry, tmp_path: Path) -> None:
    resolved = resolve(make_plan(SIMPLE, "plan"), plugins, tmp_path)
    samples = resolved.datasets[0].samples
    digests = {("samples", s.id): str(i) for i, s in enumerate(samples)}
    rows = list(entries(resolved, digests))
    everything = list(missing_jobs(resolved, digests, rows))
    assert [len(job.points) for job in everything] == [3] * len(samples)
    key = everything[0].points[1].key
    nothing = dict.fromkeys(row.key for row in rows)
    have = nothing | {key: Have(True, "s", frozenset({"psnr"}))}
    assert [p.quality for p in next(missing_jobs(resolved, digests, rows, have)).points] == [10, 90]
    have = {p.key: Have(True, "s", frozenset()) for p in everything[0].points}
    assert {p.stream for p in next(missing_jobs(resolved, digests, rows, have)).points} == {"s"}
    have = nothing | {key: Have(True, None, frozenset())}
    assert next(missing_jobs(resolved, digests, rows, have)).points[1].stream is None


def test_equal_pictures_are_encoded_once_but_stand_in_every_row(plugins: Registry, tmp_path: Path) -> None:
    resolved = resolve(make_plan(SIMPLE, "plan"), plugins, tmp_path)
    digests = {("samples", s.id): "same" for s in resolved.datasets[0].samples}
    rows = list(entries(resolved, digests))
    assert len(list(missing_jobs(resolved, digests, rows))) == 1
    assert len(rows) == 3 * len(digests)
    assert len({row.key for row in rows}) == 3


def test_a_picture_without_digest_gets_no_job_and_shifts_no_other(plugins: Registry, tmp_path: Path) -> None:
    resolved = resolve(make_plan(SIMPLE, "plan"), plugins, tmp_path)
    digests = {("samples", s.id): str(i) for i, s in enumerate(resolved.datasets[0].samples)}
    rows = list(entries(resolved, digests))
    first, *others = digests
    readable = {place: digests[place] for place in others}
    jobs = list(missing_jobs(resolved, readable, rows))
    assert [(job.sample.sample, job.sample_sha256) for job in jobs] == [(s, readable["samples", s]) for _, s in others]
    assert {point.key for job in jobs for point in job.points} == {r.key for r in rows if r.sample != first[1]}
