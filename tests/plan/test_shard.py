"""``--shard``: fixed shares of a run, which cover it, never meet, and differ by one job at most."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbox.errors import PlanError
from benchbox.plan import Shard, make_plan, resolve
from benchbox.registry import load

GROUPS = st.lists(st.lists(st.text("abcdef0123456789", min_size=1, max_size=3), max_size=12), max_size=5)


@given(GROUPS, st.integers(1, 9))
def test_every_key_is_in_one_shard(groups: list[list[str]], count: int) -> None:
    shares = [Shard(k, count).deal(groups) for k in range(1, count + 1)]
    every = {key for group in groups for key in group}
    assert set().union(*shares) == every
    assert sum(map(len, shares)) == len(every)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    shuffled = [Shard(k, count).deal(group[::-1] for group in groups) for k in range(1, count + 1)]
    assert shuffled == shares


@given(st.text() | st.from_regex(r"\d{0,9}/\d{0,9}", fullmatch=True))
def test_a_text_is_a_shard_or_an_error_of_one_line(text: str) -> None:
    said = ""
    try:
        shard = Shard.parse(text)
    except PlanError as error:
        said = str(error)
    if said:
        assert said.endswith("as 3/16 for the third of sixteen shares")
        assert len(said.splitlines()) == 1
    else:
        assert 1 <= shard.number <= shard.count
        assert Shard.parse(str(shard)) == shard


@pytest.mark.parametrize("text", ["0/4", "5/4", "x", "", "1/0", "-1/4", "1/4/2", " 1/4", "1/99999999", "٣/٤"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match=r"^shard '.*': write NUMBER/COUNT"):
        Shard.parse(text)


@pytest.mark.parametrize(("more", "said"), [
    ({"match": ["bpp=1"]}, "shard 1/2: a plan with match is not sharded, .*; run it whole, or sweep qualities instead"),
    ({"timing": {}}, r"shard 1/2: a plan with \[timing\] is not sharded, .*; take \[timing\] out, and time the merged"),
])
def test_what_cannot_be_sharded_says_what_to_do(more: dict[str, object], said: str) -> None:
    plan = make_plan({"name": "t", "dataset": "samples", "codec": [{"id": "jpeg"}], **more}, "plan")
    with pytest.raises(PlanError, match=said):
        resolve(plan, load(), Path.cwd()).sharded(Shard(1, 2))
