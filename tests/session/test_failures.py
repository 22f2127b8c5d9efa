"""Failures that differ only in what is new each time, as temporary paths, are one line of a run's summary."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbox.session.failures import merged

SAID = "mine (plugin mine): encode raised FileNotFoundError: [Errno 2] No such file or directory: '{}' (mine.py:20)"


@pytest.mark.parametrize(("one", "other", "alike"), [
    (SAID.format("/tmp/benchbox-worker-25zq8ta1/tmp2q/x"), SAID.format("/tmp/benchbox-worker-b_x9o8yv/z/x"), True),
    (SAID.format("/data/tmp/tmp2qfnyg6g"), SAID.format("/data/tmp/tmp_fnyg6h1"), True),
    ("x raised OSError: <Pipe at 0x7f3c01>, closed", "x raised OSError: <Pipe at 0x55aa0c>, closed", True),
    (SAID.format("/tmp/benchbox-worker-25zq8ta1/x.bin"), SAID.format("/home/me/x.bin"), False),
    (SAID.format("/photos/a.png"), SAID.format("/photos/b.png"), False),
    ("too wide: 4000", "too wide: 5000", False),
])  # fmt: skip
def test_only_what_is_new_each_time_is_passed_over(one: str, other: str, alike: bool) -> None:
    found = merged([("mine", "failed", one, 2), ("mine", "failed", other, 3), ("yours", "failed", one, 1)])
    mine = [("mine", "failed", one, 5)] if alike else [("mine", "failed", other, 3), ("mine", "failed", one, 2)]
    assert found == [*mine, ("yours", "failed", one, 1)]


FAILURES = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["failed", "timeout"]),
                     st.text(alphabet="/tmp0x-abcdef19 '", max_size=40), st.integers(1, 9))  # fmt: skip


@given(st.lists(FAILURES, max_size=8))
def test_no_row_is_lost(failures: list[tuple[str, str, str, int]]) -> None:
    found = merged(failures)
    for part in (lambda one: one[0], lambda one: one[1]):
        before, after = Counter[str](), Counter[str]()
        for one in failures:
            before[part(one)] += one[3]
        for one in found:
            after[part(one)] += one[3]
        assert before == after
    assert {one[:3] for one in found} <= {one[:3] for one in failures}
    assert [one[3] for one in found] == sorted((one[3] for one in found), reverse=True)
